import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A request whose body has been read. */
export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** IPv4 address of the peer. */
  readonly peer: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Who asked, for the log. */
  readonly principal?: string;
  /** The connection ends in place of the answer. */
  readonly reset?: boolean;
}

/** Answers requests for one service of the lab. */
export type Service = (request: Request) => Promise<Reply> | Reply;

/** The same for answers that are streamed. */
export type StreamingService = (
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
) => Promise<void> | void;

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Reads the whole request. Throws when the body is longer than 32 MiB. */
export async function readRequest(message: IncomingMessage, url: URL): Promise<Request> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Error('request body too large');
    chunks.push(chunk);
  }
  return {
    method: message.method ?? 'GET',
    url,
    headers: message.headers,
    body: Buffer.concat(chunks),
    peer: peerAddress(message),
  };
}

/** IPv4 address of the peer, also where the socket is a dual-stack one. */
export function peerAddress(message: IncomingMessage): string {
  return (message.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}

export function sendReply(response: ServerResponse, reply: Reply): void {
  if (reply.reset) {
    // No status for the log, since none was sent.
    response.statusCode = 0;
    response.destroy();
    return;
  }
  const body = Buffer.from(reply.body ?? '');
  response.writeHead(reply.status, { 'content-length': body.length, ...reply.headers });
  response.end(body);
}

/** A JSON answer, indented as Google's are. */
export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}

export function text(status: number, body: string, headers: OutgoingHttpHeaders = {}): Reply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}
