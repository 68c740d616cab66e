import {
  Agent,
  createServer,
  type IncomingMessage,
  request as requestTo,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Transform } from 'node:stream';
import type { WireFaults } from './faults.ts';

/** What is between a client and the registry. */
export interface ProxyOptions {
  readonly host: string;
  readonly port: number;
  readonly faults: WireFaults;
  /** Where a redirect leads: `http://host:port`. */
  readonly elsewhere: string;
}

/** A manifest or the content of an image: what is lied about. */
const CONTENT = /^\/v2\/.+\/(manifests|blobs)\/[^/?]+$/;

/** A proxy in front of the registry, as one that a person may have put there: with answers of its own, some of them lies. */
export function registryProxy(options: ProxyOptions): Server {
  const { faults } = options;
  const forward = forwarder(options);
  return bare((request, response) => {
    if (faults.takeBadGateway()) return badGateway(request, response);
    const lie = faults['registry-lies'];
    const [, kind] = CONTENT.exec(request.url ?? '') ?? [];
    const reads = request.method === 'GET' || (request.method === 'HEAD' && lie === 'redirect');
    if (lie === null || kind === undefined || !reads) return forward(request, response);
    if (kind === 'blobs' && lie === 'wrong-manifest') return forward(request, response);
    if (kind === 'manifests' && lie === 'wrong-digest') return forward(request, response);
    faults.struck.lies += 1;
    switch (lie) {
      case 'wrong-digest':
        return forward(request, response, { body: otherFirstByte() });
      case 'wrong-manifest':
        // Still JSON, and the same image: only its digest is another than its header says.
        return forward(request, response, { body: withSpace(), headers: { 'content-length': null } });
      case 'wrong-content-type':
        return forward(request, response, { headers: { 'content-type': 'text/html' } });
      case 'redirect':
        response.writeHead(307, { location: `${options.elsewhere}${request.url}` }).end();
        return;
      case 'endless-body':
        return endless(kind, response);
    }
  });
}

/** Where redirects lead: it serves what the registry does, so that who follows one finds nothing amiss. */
export function elsewhere(options: ProxyOptions): Server {
  const forward = forwarder(options);
  return bare((request, response) => {
    if (request.method === 'GET') options.faults.struck.elsewhere += 1;
    forward(request, response);
  });
}

function bare(handle: (request: IncomingMessage, response: ServerResponse) => void): Server {
  return createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    response.sendDate = false;
    handle(request, response);
  });
}

interface Changes {
  readonly body?: Transform;
  /** Headers that are replaced, or left out. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

type Forward = (request: IncomingMessage, response: ServerResponse, changes?: Changes) => void;

function forwarder({ host, port }: ProxyOptions): Forward {
  const agent = new Agent({ keepAlive: true });
  return (request, response, { body, headers = {} } = {}) => {
    const broken = () => {
      if (!request.socket.destroyed) request.socket.resetAndDestroy();
    };
    const upstream = requestTo(
      { agent, host, port, method: request.method, path: request.url, headers: request.rawHeaders },
      (answer) => {
        answer.on('error', broken);
        response.writeHead(
          answer.statusCode ?? 502,
          answer.statusMessage,
          replaced(answer.rawHeaders, headers),
        );
        (body === undefined ? answer : answer.pipe(body)).pipe(response);
      },
    );
    upstream.on('error', broken);
    request.on('error', () => upstream.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  };
}

function replaced(raw: readonly string[], changes: NonNullable<Changes['headers']>): string[] {
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = String(raw[index]);
    const change = changes[name.toLowerCase()];
    if (change !== null) kept.push(name, change ?? String(raw[index + 1]));
  }
  return kept;
}

function badGateway(request: IncomingMessage, response: ServerResponse): void {
  const page = '<html><head><title>502 Bad Gateway</title></head></html>\r\n';
  response.writeHead(502, {
    'content-type': 'text/html',
    'content-length': page.length,
    connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : page);
}

function otherFirstByte(): Transform {
  let first = true;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const changed = Buffer.from(chunk);
      if (first && changed.length > 0) {
        changed[0] = (changed[0] ?? 0) ^ 1;
        first = false;
      }
      done(null, changed);
    },
  });
}

function withSpace(): Transform {
  return new Transform({
    transform: (chunk, _encoding, done) => done(null, chunk),
    flush: (done) => done(null, ' '),
  });
}

/** White space, which may stand before JSON for as long as one likes. */
function endless(kind: string, response: ServerResponse): void {
  const type =
    kind === 'manifests' ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream';
  response.writeHead(200, { 'content-type': type });
  const chunk = Buffer.alloc(65_536, ' ');
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
