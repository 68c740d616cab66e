import { createHash } from 'node:crypto';
import type { Sleep } from '../job/sleep';
import type { Endpoint } from './endpoint';
import {
  notValid,
  type RegistryAnswer,
  type RegistryHttp,
  type RegistryRequest,
  refused,
  registryHttp,
} from './http';
import { type Descriptor, MANIFEST_TYPES, MAX_MANIFEST_BYTES } from './manifest';
import { BRIEF, type Retries, readPatiently } from './patient-reads';
import { checkedManifest, problemOfContent, type ServedManifest, splitDigest } from './served-content';
import { uploadPath } from './upload-path';

/**
 * The part of the distribution API that the action uses.
 *
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 *
 * Repositories are paths by the grammar of references. Every method throws ActionError: `Registry not reachable`,
 * `Registry answer not valid`, `Registry refused a request`. Reading is tried again where it failed for a transient
 * reason, with a Patience; writing is not.
 */
export interface RegistryApi {
  /** @throws ActionError `Registry wants another login` where it does not take the one of the endpoint */
  requireLogin(): Promise<void>;
  /** By tag or digest; null when there is none. */
  manifest(repository: string, reference: string): Promise<ServedManifest | null>;
  putManifest(repository: string, reference: string, mediaType: string, bytes: Buffer): Promise<void>;
  /** By digest. False: the registry does not allow it. One that is gone already is no error. */
  deleteManifest(repository: string, digest: string): Promise<boolean>;
  /** Downloads the whole content and holds it against digest and size, without keeping it. */
  checkBlob(repository: string, content: Descriptor): Promise<void>;
  /** Reads the last byte of the content: whether the storage has all of it, without downloading it. */
  probeBlob(repository: string, content: Descriptor): Promise<void>;
  putBlob(repository: string, digest: string, bytes: Buffer): Promise<void>;
  close(): void;
}

/** The API over a connection; `sleep` is the clock of the retries. */
export function registryApi(connection: RegistryHttp, sleep: Sleep, patience = BRIEF): RegistryApi {
  const { endpoint } = connection;
  const retries = { sleep, patience };
  const read = (request: RegistryRequest & { into?: undefined }) =>
    readPatiently(connection, request, retries);
  const write = async (request: RegistryRequest, good: readonly number[]): Promise<RegistryAnswer> => {
    const answer = await connection.send(request);
    if (!good.includes(answer.status)) throw refused(endpoint, request, answer);
    return answer;
  };
  const remove = async (path: string): Promise<boolean> => {
    const answer = await write({ method: 'DELETE', path, maxBytes: 0 }, [200, 202, 404, 405]);
    return answer.status !== 405;
  };

  return {
    async requireLogin() {
      const request = { method: 'GET', path: '/v2/', maxBytes: 64 * 1024 } as const;
      const answer = await read(request);
      if (answer.status !== 200) throw refused(endpoint, request, answer);
    },

    async manifest(repository, reference) {
      const path = `/v2/${repository}/manifests/${reference}`;
      const headers = { accept: MANIFEST_TYPES.join(', ') };
      const request = { method: 'GET', path, headers, maxBytes: MAX_MANIFEST_BYTES } as const;
      const answer = await read(request);
      if (answer.status === 404) return null;
      if (answer.status !== 200) throw refused(endpoint, request, answer);
      return checkedManifest(answer, reference, (reason) => notValid(endpoint, request, reason));
    },

    async putManifest(repository, reference, mediaType, bytes) {
      const path = `/v2/${repository}/manifests/${reference}`;
      const headers = { 'content-type': mediaType };
      await write({ method: 'PUT', path, headers, body: bytes, maxBytes: 64 * 1024 }, [201]);
    },
    deleteManifest: (repository, digest) => remove(`/v2/${repository}/manifests/${digest}`),

    checkBlob: (repository, content) =>
      checkBlob(connection, blobRequest(repository, content), content, retries),

    async probeBlob(repository, content) {
      // An empty range cannot be asked for; there is nothing to miss either.
      if (content.size === 0) return;
      const last = content.size - 1;
      const request = blobRequest(repository, content, { range: `bytes=${last}-${last}` });
      const answer = await read(request);
      if (answer.status === 200 && answer.length === content.size) return;
      if (answer.status !== 206 && answer.status !== 416) throw refused(endpoint, request, answer);
      if (
        answer.headers['content-range'] !== `bytes ${last}-${last}/${content.size}` ||
        answer.length !== 1
      ) {
        throw notValid(endpoint, request, `it does not have all ${content.size} bytes of the content`);
      }
    },

    async putBlob(repository, digest, bytes) {
      const started = {
        method: 'POST',
        path: `/v2/${repository}/blobs/uploads/`,
        maxBytes: 64 * 1024,
      } as const;
      const { headers } = await write({ ...started, body: Buffer.alloc(0) }, [202]);
      const path = uploadPath(headers.location, endpoint, repository);
      if (path === null) throw notValid(endpoint, started, 'it wants the upload somewhere else');
      const query = `${path.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
      const type = { 'content-type': 'application/octet-stream' };
      await write(
        { method: 'PUT', path: path + query, headers: type, body: bytes, maxBytes: 64 * 1024 },
        [201],
      );
    },

    close: () => connection.close(),
  };
}

/** Opens the API of a registry. */
export function openRegistry(endpoint: Endpoint, sleep: Sleep, patience = BRIEF): RegistryApi {
  return registryApi(registryHttp(endpoint), sleep, patience);
}

function blobRequest(repository: string, content: Descriptor, headers: Record<string, string> = {}) {
  const path = `/v2/${repository}/blobs/${content.digest}`;
  return { method: 'GET', path, headers, maxBytes: content.size } as const;
}

async function checkBlob(
  connection: RegistryHttp,
  request: RegistryRequest,
  content: Descriptor,
  retries: Retries,
): Promise<void> {
  const { algorithm } = splitDigest(content.digest);
  let found = '';
  // Each try hashes afresh.
  const answer = await readPatiently(connection, request, retries, async (plain) => {
    const hash = createHash(algorithm);
    const got = await connection.send({ ...plain, into: hash });
    found = hash.digest('hex');
    return got;
  });
  if (answer.status !== 200) throw refused(connection.endpoint, request, answer);
  const problem = problemOfContent(content, answer.length, found);
  if (problem !== null) throw notValid(connection.endpoint, request, problem);
}
