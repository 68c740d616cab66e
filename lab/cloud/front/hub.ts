import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { json, peerAddress, type Reply, type Request, sendReply } from './exchange.ts';
import { rateLimited, type UpstreamFaults } from './faults.ts';

const SERVICE = 'registry.docker.io';
const REALM = 'https://auth.docker.io/token';
const TOKEN_SECONDS = 300;
const BLOB_HOST = 'production.cloudflare.docker.com';
const REPOSITORY = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/;

/**
 * Docker Hub in front of the lab's own registry: anonymous tokens for pulling
 * (https://distribution.github.io/distribution/spec/auth/token/), blobs by redirect to another host, and no pushes.
 */
export class Hub {
  private readonly upstream: URL;
  private readonly aliases: Readonly<Record<string, string>>;
  private readonly faults: UpstreamFaults;
  /** Token → its scopes and when it ends. */
  private readonly tokens = new Map<string, { scopes: readonly string[]; expires: number }>();
  /** Path of a blob on the blob host → path in the registry. */
  private readonly blobs = new Map<string, string>();

  /** @param aliases what a repository is called in the lab's own registry, where that is another name */
  constructor(upstream: string, aliases: Readonly<Record<string, string>>, faults: UpstreamFaults) {
    this.upstream = new URL(upstream);
    this.aliases = aliases;
    this.faults = faults;
  }

  /** auth.docker.io */
  token(request: Request): Reply {
    const { searchParams, pathname } = request.url;
    if (request.method !== 'GET' || pathname !== '/token') return json(404, { details: 'not found' });
    if (searchParams.get('service') !== SERVICE) return json(400, { details: 'unknown service' });
    const scopes = searchParams
      .getAll('scope')
      .flatMap((scope) => scope.split(' '))
      .filter(isPull);
    const token = randomBytes(64).toString('base64url');
    this.tokens.set(token, { scopes: scopes.map(repositoryOf), expires: Date.now() + TOKEN_SECONDS * 1000 });
    const issued_at = new Date().toISOString();
    return json(200, { token, access_token: token, expires_in: TOKEN_SECONDS, issued_at });
  }

  /** registry-1.docker.io */
  registry(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const refusal = this.refusal(request, url);
    if (refusal !== null) sendReply(response, refusal);
    else this.proxy(request, response, url.pathname + url.search);
  }

  /** The host that blobs come from: no token, only an address that cannot be guessed. */
  blob(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const path = this.blobs.get(url.pathname + url.search);
    if (path === undefined) sendReply(response, { status: 403, body: 'Forbidden\n' });
    else this.proxy(request, response, path);
  }

  /** The answer that the Hub gives by itself; null: the registry is to answer. */
  private refusal(request: IncomingMessage, url: URL): Reply | null {
    const [, repository, kind, reference = ''] = REPOSITORY.exec(url.pathname) ?? [];
    if (repository === undefined && url.pathname !== '/v2/') return notFound();
    const scope = repository === undefined ? null : `repository:${repository}:pull`;
    if (!this.admits(request, repository)) return challenge(scope);
    if (request.method !== 'GET' && request.method !== 'HEAD') return denied();
    const pull = kind === 'manifests' && request.method === 'GET';
    if (pull && this.faults.has('hub-rate-limit')) return rateLimited(peerAddress(request));
    return kind === 'blobs' && request.method === 'GET' ? this.redirect(url.pathname, reference) : null;
  }

  private admits(request: IncomingMessage, repository: string | undefined): boolean {
    const entry = this.tokens.get(/^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '');
    if (entry === undefined || entry.expires < Date.now()) return false;
    return repository === undefined || entry.scopes.includes(repository);
  }

  private redirect(path: string, digest: string): Reply {
    const [algorithm = '', hex = ''] = digest.split(':');
    const verify = randomBytes(24).toString('base64url');
    const at = `/registry-v2/docker/registry/v2/blobs/${algorithm}/${hex.slice(0, 2)}/${hex}/data?verify=${verify}`;
    this.blobs.set(at, path);
    return { status: 307, headers: { location: `https://${BLOB_HOST}${at}` } };
  }

  private aliased(path: string): string {
    const [, repository = '', rest = ''] =
      /^\/v2\/(.+?)(\/(?:manifests|blobs|tags|referrers)\/.*)$/.exec(path) ?? [];
    const alias = this.aliases[repository];
    return alias === undefined ? path : `/v2/${alias}${rest}`;
  }

  private proxy(request: IncomingMessage, response: ServerResponse, path: string): void {
    const { accept, range } = request.headers;
    const headers = { ...(accept !== undefined && { accept }), ...(range !== undefined && { range }) };
    const upstream = httpRequest(
      {
        host: this.upstream.hostname,
        port: this.upstream.port,
        method: request.method ?? 'GET',
        path: this.aliased(path),
        headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      },
    );
    upstream.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else sendReply(response, { status: 502, body: `the lab's registry: ${error.message}\n` });
    });
    response.on('close', () => upstream.destroy());
    upstream.end();
  }
}

const isPull = (scope: string): boolean => /^repository:[^:]+:(.*,)?pull(,.*)?$/.test(scope);
const repositoryOf = (scope: string): string => scope.split(':')[1] ?? '';

const VERSION = { 'docker-distribution-api-version': 'registry/2.0' };

function challenge(scope: string | null): Reply {
  const extra = scope === null ? '' : `,scope="${scope}"`;
  const errors = [{ code: 'UNAUTHORIZED', message: 'authentication required', detail: null }];
  const header = `Bearer realm="${REALM}",service="${SERVICE}"${extra}`;
  return json(401, { errors }, { ...VERSION, 'www-authenticate': header });
}

const denied = (): Reply =>
  json(403, { errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] }, VERSION);

const notFound = (): Reply => json(404, { errors: [{ code: 'NOT_FOUND', message: 'not found' }] }, VERSION);
