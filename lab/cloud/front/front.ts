import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Certificates } from '../certificates.ts';
import { type Reply, readRequest, type Service, type StreamingService, sendReply, text } from './exchange.ts';
import type { Log } from './log.ts';

/** Something that answers for a host: short answers as values, long ones as streams. */
export type Site = {
  readonly name: string;
  /** What a fault answers in its place; null: nothing. */
  readonly instead?: (url: URL) => Reply | null;
} & ({ readonly serve: Service } | { readonly stream: StreamingService });

/** Google's front ends keep an idle connection for four minutes. */
const KEEP_ALIVE_MS = 240_000;

/** The HTTPS server for every name of the lab: which one is meant, the Host header says. */
export function createFront(
  certificates: Certificates,
  siteOf: (host: string) => Site | null,
  log: Log,
): Server {
  const options = { cert: readFileSync(certificates.certFile), key: readFileSync(certificates.keyFile) };
  const server = createServer(options, (request, response) => {
    answer(request, response, siteOf, log).catch((error: unknown) => {
      process.stderr.write(`${request.method} ${request.headers.host}${request.url}: ${String(error)}\n`);
      if (response.headersSent) response.destroy();
      else sendReply(response, text(500, 'Internal Server Error\n'));
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  siteOf: (host: string) => Site | null,
  log: Log,
): Promise<void> {
  const url = new URL(`https://${request.headers.host ?? ''}${request.url ?? '/'}`);
  const site = siteOf(url.hostname) ?? nobody(url.hostname);
  let principal: string | null = null;
  response.on('close', () => {
    const requestId = url.searchParams.get('requestId');
    log.add({
      service: site.name,
      method: request.method ?? '',
      path: url.pathname + url.search,
      status: response.statusCode,
      principal,
      ...(requestId && { requestId }),
      ...(request.headers.authorization !== undefined && { authorized: true as const }),
    });
  });
  const instead = site.instead?.(url) ?? null;
  if (instead !== null) {
    request.resume();
    sendReply(response, instead);
  } else if ('stream' in site) {
    await site.stream(request, response, url);
  } else {
    const reply = await site.serve(await readRequest(request, url));
    principal = reply.principal ?? null;
    sendReply(response, reply);
  }
}

/** A host that the lab does not play; that it was asked for is worth a line in the log. */
function nobody(host: string): Site {
  return { name: `unknown ${host}`, serve: () => text(421, `the lab does not answer for ${host}\n`) };
}
