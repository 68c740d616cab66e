import type { IncomingHttpHeaders } from 'node:http';
import { hasCode } from '../values/errors';
import {
  type BodyStream,
  MISSING,
  notValid,
  type RegistryAnswer,
  type RegistryHttp,
  type RegistryRequest,
  refused,
  type Sink,
} from './http';
import { type Descriptor, MANIFEST_TYPES } from './manifest';
import { type Retries, readPatiently } from './patient-reads';
import { uploadPath } from './upload-path';

/** Where downloaded content goes. It may have some of it already, from a download that was cut off. */
export interface Receiver {
  /** Bytes that it has. */
  readonly length: number;
  /** Takes bytes, and keeps none of the chunk's own; whoever has more waits. */
  update(chunk: Buffer): Promise<void> | null;
  /** Forgets what it has: the registry begins anew. */
  reset(): Promise<void>;
}

/**
 * The part of the distribution API that moves whole images, of any size, in bounded memory. Reading is tried again where
 * it failed for a transient reason; writing is not.
 *
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export interface ContentApi {
  /** The digest of what a tag or digest stands for; null: nothing. */
  manifestDigest(repository: string, reference: string): Promise<string | null>;
  /**
   * Downloads what a receiver lacks of a blob; what came is not held against its digest.
   *
   * @throws ActionError `Registry refused a request` with the code MISSING where the registry does not have it
   */
  readBlob(repository: string, content: Descriptor, into: Receiver): Promise<void>;
  /**
   * Uploads a blob, or has the registry take it from another of its repositories.
   *
   * @param from a repository that has it; null: none is known
   * @returns whether bytes were sent
   */
  sendBlob(repository: string, content: Descriptor, from: string | null, body: BodyStream): Promise<boolean>;
}

/** The same over a connection. */
export function contentApi(connection: RegistryHttp, retries: Retries): ContentApi {
  const { endpoint } = connection;
  const write = async (request: RegistryRequest, good: readonly number[]): Promise<RegistryAnswer> => {
    const answer = await connection.send(request);
    if (!good.includes(answer.status)) throw refused(endpoint, request, answer);
    return answer;
  };
  return {
    async manifestDigest(repository, reference) {
      const path = `/v2/${repository}/manifests/${reference}`;
      const headers = { accept: MANIFEST_TYPES.join(', ') };
      const request = { method: 'HEAD', path, headers, maxBytes: 0 } as const;
      const answer = await readPatiently(connection, request, retries);
      if (answer.status === 404) return null;
      if (answer.status !== 200) throw refused(endpoint, request, answer);
      const digest = answer.headers['docker-content-digest'];
      if (typeof digest === 'string') return digest;
      throw notValid(endpoint, request, 'it has no Docker-Content-Digest');
    },

    async readBlob(repository, content, into) {
      const path = `/v2/${repository}/blobs/${content.digest}`;
      const request = { method: 'GET', path, maxBytes: content.size } as const;
      const answer = await readPatiently(connection, request, retries, async (plain) => {
        const from = into.length;
        if (from >= content.size && content.size > 0) await into.reset();
        const headers: Record<string, string> = into.length === 0 ? {} : { range: `bytes=${into.length}-` };
        const sink = checkedSink(into, content, (reason) => notValid(endpoint, request, reason));
        const got = await connection.send({ ...plain, headers, into: sink });
        if (got.status !== 416) return got;
        await into.reset();
        return connection.send({ ...plain, into: sink });
      });
      if (answer.status !== 200 && answer.status !== 206) throw refused(endpoint, request, answer);
    },

    async sendBlob(repository, content, from, body) {
      const mount = from === null ? '' : `?mount=${content.digest}&from=${from}`;
      const started = {
        method: 'POST',
        path: `/v2/${repository}/blobs/uploads/${mount}`,
        maxBytes: 64 * 1024,
      } as const;
      const { status, headers } = await write({ ...started, body: Buffer.alloc(0) }, [201, 202]);
      if (status === 201) return false;
      const place = uploadPath(headers.location, endpoint, repository);
      if (place === null) throw notValid(endpoint, started, 'it wants the upload somewhere else');
      const path = `${place}${place.includes('?') ? '&' : '?'}digest=${content.digest}`;
      const type = { 'content-type': 'application/octet-stream' };
      await write({ method: 'PUT', path, headers: type, body, maxBytes: 64 * 1024 }, [201]);
      return true;
    },
  };
}

/** Whether a registry said that it does not have what it was asked for. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, MISSING);
}

/** Lets bytes through to the receiver that go where it is. */
function checkedSink(into: Receiver, { size }: Descriptor, refuse: (reason: string) => Error): Sink {
  return {
    async begin(status: number, headers: IncomingHttpHeaders) {
      if (status !== 206) return into.reset();
      const expected = `bytes ${into.length}-${size - 1}/${size}`;
      if (headers['content-range'] !== expected) throw refuse('it sent another part than it was asked for');
    },
    update: (chunk) => into.update(chunk),
  };
}
