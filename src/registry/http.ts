import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { ActionError, hasCode, messageOf } from '../values/errors';
import { type Endpoint, registryName, socketHost } from './endpoint';
import { releaseMemory } from './release-memory';

/** Takes the bytes of a good answer one after the other; whoever sends waits until each is taken. */
export interface Sink {
  /** Called before the first bytes. */
  begin?(status: number, headers: http.IncomingHttpHeaders): Promise<void>;
  update(chunk: Buffer): unknown;
}

/** A body that is too large for memory. Each chunk is on its way before the next is asked for, and may be used again. */
export interface BodyStream {
  readonly length: number;
  readonly chunks: AsyncIterable<Buffer>;
}

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Begins with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | BodyStream;
  /** More than this many bytes of an answer is an error. */
  readonly maxBytes: number;
  /** Where the bytes go in place of memory; the answer's body is then empty. */
  readonly into?: Sink;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** Bytes of the body. */
  readonly length: number;
}

/** `code` of the error for a registry that cannot be connected to, by this runner or by what stands before it. */
export const NOT_REACHABLE = 'registry-not-reachable';
/** `code` of the error for an answer that ended before it was complete. */
export const ENDED_EARLY = 'registry-answer-ended-early';
/** `code` of the error for content that a registry should have, and does not. */
export const MISSING = 'registry-content-missing';
/** `code` of the error for a request that a registry could not answer for reasons of its own: a status of 500 or more. */
export const FAILED = 'registry-failed';
/** `code` of the error for a request that a registry finds wrong. */
export const REFUSED = 'registry-refused';
/** `code` of the error for an answer that no honest registry gives. */
export const NOT_VALID = 'registry-answer-not-valid';

/** Without a byte for this long, a request is given up. */
const IDLE_MS = 15_000;
/** An answer may take this long in all, and one second more for each 100 kB that are expected. */
const TOTAL_MS = 60_000;

/** The connections to one registry. */
export interface RegistryHttp {
  readonly endpoint: Endpoint;
  /**
   * Sends one request. Nothing is followed, and nothing unbounded is read.
   *
   * @throws ActionError `Registry not reachable`, `Certificate not trusted`, `Registry answer not valid`
   */
  send(request: RegistryRequest): Promise<RegistryAnswer>;
  close(): void;
}

/**
 * HTTP for the calls of the distribution API, on node:http: fetch would follow redirects, and hides on which address
 * it failed.
 */
export function registryHttp(
  endpoint: Endpoint,
  timeouts = { idleMs: IDLE_MS, totalMs: TOTAL_MS },
): RegistryHttp {
  const library = endpoint.scheme === 'https' ? https : http;
  const trust = { ...(endpoint.ca === null ? {} : { ca: endpoint.ca }), ...identityOf(endpoint) };
  const agent = new library.Agent({ keepAlive: true, maxSockets: 4, ...trust });
  return {
    endpoint,
    send: (request) =>
      new Promise((resolve, reject) => {
        const { body } = request;
        const deadline = timeouts.totalMs + (request.maxBytes + (body?.length ?? 0)) / 100;
        const outgoing = library.request({
          agent,
          method: request.method,
          host: socketHost(endpoint),
          port: endpoint.port,
          path: request.path,
          headers: {
            host: registryName(endpoint),
            ...authorization(endpoint),
            ...request.headers,
            ...(body === undefined ? {} : { 'content-length': body.length }),
          },
        });
        const total = setTimeout(
          () => outgoing.destroy(new Error(`no complete answer within ${Math.round(deadline / 1000)} s`)),
          deadline,
        );
        outgoing.setTimeout(timeouts.idleMs, () =>
          outgoing.destroy(new Error(`nothing arrived for ${timeouts.idleMs / 1000} s`)),
        );
        const fail = (error: Error) => {
          clearTimeout(total);
          reject(error instanceof ActionError ? error : failed(endpoint, request, error));
        };
        let isAnswered = false;
        let broken: Error | null = null;
        outgoing.on('error', (error) => {
          broken = error;
          if (!isAnswered) fail(error);
        });
        outgoing.on('response', (incoming) => {
          isAnswered = true;
          // Also of an answer that is broken off: whoever tries again begins where the receiver then is.
          receive(endpoint, request, incoming).then(
            (answer) => {
              clearTimeout(total);
              // An answer before the end of what is sent is a refusal.
              if (!outgoing.writableFinished) outgoing.destroy();
              resolve(answer);
            },
            (error) => fail(broken ?? error),
          );
        });
        if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
        else pour(body, outgoing).catch((error: Error) => outgoing.destroy(error));
      }),
    close: () => agent.destroy(),
  };
}

async function pour({ chunks }: BodyStream, outgoing: http.ClientRequest): Promise<void> {
  // Where the connection ends, nobody calls back for what was still to be sent.
  const closed = new Promise<void>((resolve) => outgoing.once('close', resolve));
  for await (const chunk of chunks) {
    const sent = new Promise<void>((resolve) => outgoing.write(chunk, () => resolve()));
    await Promise.race([sent, closed]);
    if (outgoing.destroyed) return;
  }
  outgoing.end();
}

/** Whom the certificate has to be for. Addresses are not sent (RFC 6066, section 3), but compared all the same. */
function identityOf({ serverName }: Endpoint): https.AgentOptions {
  if (serverName === null) return {};
  const name = serverName.replace(/^\[|\]$/g, '');
  return {
    ...(isIP(name) === 0 ? { servername: name } : { servername: '' }),
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  };
}

/** https://www.rfc-editor.org/rfc/rfc7617 */
function authorization({ login }: Endpoint): Record<string, string> {
  if (login === null) return {};
  const pair = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}

async function receive(
  endpoint: Endpoint,
  request: RegistryRequest,
  incoming: http.IncomingMessage,
): Promise<RegistryAnswer> {
  const status = incoming.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    incoming.destroy();
    throw notValid(endpoint, request, `it answered with a redirect (status ${status})`);
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const kept = status < 300 ? request.into : undefined;
  // An error's body is short, whatever the good answer's size would have been.
  const limit = status < 300 ? request.maxBytes : 64 * 1024;
  // What comes here is a copy of what came from the socket, which Node has parsed by the time its listeners are called
  // (on_body in https://github.com/nodejs/node/blob/v24.x/src/node_http_parser.cc).
  const { socket } = incoming;
  if (kept !== undefined) socket.on('data', releaseMemory);
  try {
    await kept?.begin?.(status, incoming.headers);
    await eachChunk(incoming, (chunk) => {
      length += chunk.length;
      if (length > limit) throw notValid(endpoint, request, `it sent more than the ${limit} bytes expected`);
      if (kept === undefined) {
        chunks.push(chunk);
        return null;
      }
      const taken = kept.update(chunk);
      if (taken instanceof Promise) return taken.then(() => releaseMemory(chunk));
      releaseMemory(chunk);
      return null;
    });
  } catch (cause) {
    incoming.destroy();
    throw cause instanceof ActionError ? cause : endedEarly(endpoint, request, cause);
  } finally {
    socket.off('data', releaseMemory);
  }
  if (status === 502 || status === 504) {
    throw notReachable(endpoint, request, new Error(`what stands before it answered with status ${status}`));
  }
  return { status, headers: incoming.headers, body: Buffer.concat(chunks), length };
}

/**
 * Hands the chunks of a body over, one after the other. Not by `for await`, which joins those that came while one was
 * taken, so that nobody could give their memory back.
 */
function eachChunk(
  incoming: http.IncomingMessage,
  take: (chunk: Buffer) => Promise<void> | null,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let last = Promise.resolve();
    incoming.on('data', (chunk: Buffer) => {
      try {
        const taken = take(chunk);
        if (taken === null) return;
        incoming.pause();
        last = taken;
        taken.then(() => incoming.resume(), reject);
      } catch (error) {
        reject(error);
      }
    });
    // It may end while the last chunk is still being taken, and nobody else is to take bytes before that is done.
    const fail = (error: Error) => last.then(() => reject(error), reject);
    incoming.on('end', () => last.then(resolve, reject));
    incoming.on('error', fail);
    incoming.on('close', () => fail(new Error('the connection was closed')));
  });
}

/** How a request is named in messages. */
function named(endpoint: Endpoint, request: Pick<RegistryRequest, 'method' | 'path'>): string {
  return `asking the registry ${registryName(endpoint)} for ${request.method} ${request.path.split('?')[0]}`;
}

/** What Node calls a certificate that it does not take: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const NOT_TRUSTED =
  /^(?:CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_CERT_|ERR_TLS_CERT_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/;

function failed(endpoint: Endpoint, request: RegistryRequest, cause: Error): ActionError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  return NOT_TRUSTED.test(code)
    ? notTrusted(endpoint, request, cause)
    : notReachable(endpoint, request, cause);
}

/** Another try would be shown the same certificate. */
function notTrusted(endpoint: Endpoint, request: RegistryRequest, cause: Error): ActionError {
  return new ActionError(
    'Certificate not trusted',
    {
      doing: named(endpoint, request),
      happened: cause.message.replace(/[^ -~]/g, '?'),
      next: 'A run with `mode: bootstrap` (or `deploy`) and the same settings gives the registry a good one, and `mode: health-check` says what it has; where `tls` is `certificate`, pass one that is good, for the address of the registry',
    },
    { cause },
  );
}

function notReachable(endpoint: Endpoint, request: RegistryRequest, cause: Error): ActionError {
  const code = (cause as NodeJS.ErrnoException).code;
  return new ActionError(
    'Registry not reachable',
    {
      doing: named(endpoint, request),
      happened: cause.message.replace(/[^ -~]/g, '?') || code || 'the connection failed',
      next: 'Check that the registry runs (a run with `mode: bootstrap` sets one up, and starts one that has stopped), and that `source-ranges` admits this runner to its port',
    },
    { cause, code: NOT_REACHABLE },
  );
}

/**
 * An answer that ended too early. That is how a registry shows that its storage lost what it still has on record, but
 * also what a bad line does: worth another try.
 */
function endedEarly(endpoint: Endpoint, request: RegistryRequest, cause: unknown): ActionError {
  return new ActionError(
    'Registry answer not valid',
    {
      doing: named(endpoint, request),
      happened: `the answer ended too early (${messageOf(cause).replace(/[^ -~]/g, '?')})`,
      next: 'Look at the log of the registry on the instance, and at the disk with its data',
    },
    { cause, code: ENDED_EARLY },
  );
}

/** Whether a request that failed with `error` can succeed when it is sent again. */
export function isTransient(error: unknown): boolean {
  return hasCode(error, ENDED_EARLY) || hasCode(error, NOT_REACHABLE);
}

/** An answer that no honest registry gives. */
export function notValid(
  endpoint: Endpoint,
  request: Pick<RegistryRequest, 'method' | 'path'>,
  happened: string,
): ActionError {
  return new ActionError(
    'Registry answer not valid',
    {
      doing: named(endpoint, request),
      happened,
      next: 'Something between this runner and the registry, or its storage, is broken or not what it claims to be; do not use the image',
    },
    { code: NOT_VALID },
  );
}

/** The login of this run, or that there is none, is not enough. */
function notAdmitted(
  endpoint: Endpoint,
  request: Pick<RegistryRequest, 'method' | 'path'>,
  status: 401 | 403,
): ActionError {
  const by = endpoint.login === null ? 'a request without a login' : `the login ${endpoint.login.username}`;
  return new ActionError('Registry wants another login', {
    doing: named(endpoint, request),
    happened: `it does not take ${by} for that (status ${status})`,
    next: 'Set `username` and `password` to a login that may push; a run with `mode: bootstrap` and both makes sure that it is there',
  });
}

/** A status that the request should not have had; the registry's own error code is shown. */
export function refused(
  endpoint: Endpoint,
  request: Pick<RegistryRequest, 'method' | 'path'>,
  answer: RegistryAnswer,
): ActionError {
  if (answer.status === 401 || answer.status === 403) return notAdmitted(endpoint, request, answer.status);
  const said = /"code"\s*:\s*"([A-Z_]{1,40})"/.exec(answer.body.toString('utf8'))?.[1];
  return new ActionError(
    'Registry refused a request',
    {
      doing: named(endpoint, request),
      happened: `it answered with status ${answer.status}${said === undefined ? '' : ` (${said})`}`,
      next: 'Look at the log of the registry on the instance: `sudo docker compose --project-directory /etc/gce-registry logs registry`',
    },
    { code: answer.status === 404 ? MISSING : answer.status >= 500 ? FAILED : REFUSED },
  );
}
