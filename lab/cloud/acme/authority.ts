import { request } from 'node:https';
import { json, type Reply, type Request, text } from '../front/exchange.ts';
import type { UpstreamFaults } from '../front/faults.ts';
import type { Pebble } from './pebble.ts';

/** An order as a client sent it. */
export interface Order {
  readonly identifiers: readonly { readonly type: string; readonly value: string }[];
  /** Null: it named none. */
  readonly profile: string | null;
  readonly status: number;
}

/** Pebble's own paths, https://github.com/letsencrypt/pebble/blob/v2.10.1/wfe/wfe.go */
const DIRECTORY = '/dir';
const NEW_ORDER = '/order-plz';
const CERTIFICATE = /^\/certZ\//;

const HOUR_MS = 3_600_000;

/**
 * Let's Encrypt's API: pebble, which is started when somebody asks first, with what Let's Encrypt has beyond it. An address
 * gets no certificate but of the profile `shortlived` (https://letsencrypt.org/docs/profiles/); the answer is that of
 * https://github.com/SagerNet/sing-box/pull/3958, `rejectedIdentifier`.
 */
export class AcmeAuthority {
  private readonly start: () => Promise<Pebble>;
  private readonly faults: UpstreamFaults;
  private pebble: Promise<Pebble> | null = null;
  /** In the order in which they came. */
  readonly orders: Order[] = [];

  constructor(start: () => Promise<Pebble>, faults: UpstreamFaults) {
    this.start = start;
    this.faults = faults;
  }

  async handle(question: Request): Promise<Reply> {
    const { port, crossSigned } = await this.started();
    const path = question.url.pathname === '/directory' ? DIRECTORY : question.url.pathname;
    if (path !== NEW_ORDER) {
      const reply = await forward(question, path, port);
      const isCertificate = CERTIFICATE.test(path) && reply.status === 200;
      return isCertificate ? { ...reply, body: `${reply.body}\n${crossSigned}` } : reply;
    }
    const order = orderIn(question.body);
    const reply = this.refusal(order) ?? (await forward(question, path, port));
    this.orders.push({ ...order, status: reply.status });
    return reply;
  }

  private started(): Promise<Pebble> {
    this.pebble ??= this.start().catch((error: unknown) => {
      this.pebble = null;
      throw error;
    });
    return this.pebble;
  }

  private refusal({ identifiers, profile }: Omit<Order, 'status'>): Reply | null {
    if (this.faults.has('acme-rate-limit')) return rateLimited();
    const address = identifiers.find(({ type }) => type === 'ip');
    if (address === undefined || profile === 'shortlived') return null;
    const words = `Profile "${profile ?? 'classic'}" does not permit ip type identifiers`;
    return problem(400, 'rejectedIdentifier', words);
  }
}

/** A JWS whose payload is not looked at by whom it is not for: pebble checks the signature. */
function orderIn(body: Buffer): Omit<Order, 'status'> {
  const { payload } = JSON.parse(body.toString('utf8')) as { payload: string };
  const order = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Partial<Order>;
  return { identifiers: order.identifiers ?? [], profile: order.profile ?? null };
}

function problem(status: number, type: string, detail: string, headers = {}): Reply {
  const body = { type: `urn:ietf:params:acme:error:${type}`, detail, status };
  return json(status, body, { 'content-type': 'application/problem+json', ...headers });
}

/** https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers, with the words of Boulder. */
function rateLimited(): Reply {
  const until = new Date(Date.now() + 33 * HOUR_MS).toISOString().slice(0, 19).replace('T', ' ');
  const detail =
    'too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after ' +
    `${until} UTC: see https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers`;
  return problem(429, 'rateLimited', detail, { 'retry-after': String(33 * 3600) });
}

/** The host is kept: pebble makes the addresses of its answers from it. */
function forward({ method, headers, body, url }: Request, path: string, port: number): Promise<Reply> {
  return new Promise((resolve) => {
    const { 'content-type': type, accept, 'user-agent': agent } = headers;
    const question = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path: path + url.search,
        rejectUnauthorized: false,
        headers: {
          host: url.host,
          'content-length': body.length,
          ...(type !== undefined && { 'content-type': type }),
          ...(accept !== undefined && { accept }),
          ...(agent !== undefined && { 'user-agent': agent }),
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const { 'content-length': _, 'transfer-encoding': __, connection: ___, ...kept } = answer.headers;
          resolve({
            status: answer.statusCode ?? 502,
            headers: kept,
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    question.on('error', (error) => resolve(text(502, `pebble: ${error.message}\n`)));
    question.end(body);
  });
}
