import { randomBytes } from 'node:crypto';
import type { Reply, Request, Service } from '../front/exchange.ts';

/**
 * Google's batch endpoint, which gcloud uses when one command makes several requests: multipart/mixed, each part one
 * HTTP request. https://cloud.google.com/compute/docs/api/how-tos/batch
 */
export async function handleBatch(request: Request, serve: Service): Promise<Reply> {
  const type = request.headers['content-type'] ?? '';
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (request.method !== 'POST' || boundary === undefined) return { status: 400, body: 'Bad Request\n' };
  const parts = request.body
    .toString('utf8')
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => readPart(part, request));
  const replies = await Promise.all(
    parts.map(async (part) => ({ id: part.id, reply: await serve(part.request) })),
  );
  const answerBoundary = `batch_${randomBytes(12).toString('base64url')}`;
  const body = replies.map(({ id, reply }) => `--${answerBoundary}\r\n${writePart(id, reply)}\r\n`).join('');
  const principal = replies.find(({ reply }) => reply.principal)?.reply.principal;
  return {
    status: 200,
    headers: { 'content-type': `multipart/mixed; boundary=${answerBoundary}` },
    body: `${body}--${answerBoundary}--\r\n`,
    ...(principal !== undefined && { principal }),
  };
}

/** A part is MIME headers, an empty line, and a whole HTTP request. */
function readPart(part: string, outer: Request): { id: string; request: Request } {
  const [mime = '', head = '', ...rest] = part.trimStart().replaceAll('\r\n', '\n').split('\n\n');
  const [line = '', ...lines] = head.split('\n');
  const [method = '', target = ''] = line.split(' ');
  const headers = Object.fromEntries(lines.map(readHeader));
  const body = rest.join('\n\n').replace(/\n$/, '');
  return {
    id: /^content-id:\s*(.*)$/im.exec(mime)?.[1] ?? '',
    request: {
      method,
      url: new URL(target, outer.url),
      headers: {
        ...(outer.headers.authorization && { authorization: outer.headers.authorization }),
        ...headers,
      },
      body: Buffer.from(body === 'None' ? '' : body),
      peer: outer.peer,
    },
  };
}

function readHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function writePart(id: string, reply: Reply): string {
  return [
    'Content-Type: application/http',
    `Content-ID: ${id.replace(/^</, '<response-')}`,
    '',
    `HTTP/1.1 ${reply.status} ${reply.status < 400 ? 'OK' : 'Error'}`,
    'Content-Type: application/json; charset=UTF-8',
    '',
    String(reply.body ?? ''),
  ].join('\r\n');
}
