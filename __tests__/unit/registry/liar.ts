import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoint } from '../../../src/registry/endpoint';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A registry in memory, whose answers to any path can be replaced by lies. */
export class Liar {
  /** `METHOD /path`, in order. */
  readonly seen: string[] = [];
  /** By path. */
  readonly lies = new Map<string, Handler>();
  readonly blobs = new Map<string, Buffer>();
  /** By `repository` and tag or digest. */
  readonly manifests = new Map<string, { type: string; bytes: Buffer }>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://liar');
      this.seen.push(`${request.method} ${url.pathname}`);
      const lie = this.lies.get(url.pathname);
      if (lie !== undefined) return lie(request, response);
      void this.#answer(request, response, url);
    });
  }

  async start(): Promise<Endpoint> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return { scheme: 'http', host: '127.0.0.1', port, serverName: null, ca: null, login: null };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  put(repository: string, tag: string, type: string, value: unknown): { digest: string; size: number } {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    for (const name of [tag, digest]) this.manifests.set(`${repository} ${name}`, { type, bytes });
    return { digest, size: bytes.length };
  }

  blob(bytes: Buffer): { mediaType: string; digest: string; size: number } {
    this.blobs.set(digestOf(bytes), bytes);
    return { mediaType: 'x/y', digest: digestOf(bytes), size: bytes.length };
  }

  async #answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const [, repository = '', kind = '', name = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    if (url.pathname === '/v2/') return void response.end('{}');
    if (kind === 'manifests') return this.#manifest(request, response, repository, name, body);
    if (request.method === 'POST') {
      return void response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/1?_state=x` }).end();
    }
    if (request.method === 'PUT') {
      this.blobs.set(url.searchParams.get('digest') ?? '', body);
      return void response.writeHead(201).end();
    }
    const bytes = this.blobs.get(name);
    if (bytes === undefined) return void response.writeHead(404).end('{"errors":[{"code":"BLOB_UNKNOWN"}]}');
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) return void response.end(bytes);
    const last = to === '' ? bytes.length - 1 : Number(to);
    const range = `bytes ${from}-${last}/${bytes.length}`;
    response.writeHead(206, { 'content-range': range }).end(bytes.subarray(Number(from), last + 1));
  }

  #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    name: string,
    body: Buffer,
  ): void {
    const key = `${repository} ${name}`;
    if (request.method === 'PUT') {
      this.manifests.set(key, { type: request.headers['content-type'] ?? '', bytes: body });
      return void response.writeHead(201).end();
    }
    const found = this.manifests.get(key);
    if (found === undefined)
      return void response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    if (request.method === 'DELETE') {
      this.manifests.delete(key);
      return void response.writeHead(202).end();
    }
    response.writeHead(200, { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) });
    response.end(found.bytes);
  }
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
