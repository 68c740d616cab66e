import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { type StreamingService, sendReply } from './exchange.ts';

/** Serves a folder as apt and curl need it: 404, 304 by date, lengths; no listings. */
export function staticFiles(root: string): StreamingService {
  return (request, response, url) => sendFile(request, response, pathBelow(root, url.pathname));
}

/** github.com's downloads of releases: a redirect to the host of the assets, which serves them from `root`. */
export function releases(root: string): { page: StreamingService; assets: StreamingService } {
  const PATH = /^\/[^/]+\/[^/]+\/releases\/download\/[^/]+\/[^/]+$/;
  return {
    page: async (request, response, url) => {
      const exists = PATH.test(url.pathname) && (await fileSize(pathBelow(root, url.pathname))) !== null;
      if (!exists) return sendReply(response, { status: 404, body: 'Not Found' });
      const location = `https://release-assets.githubusercontent.com${url.pathname}?response-content-type=application%2Foctet-stream`;
      sendReply(response, { status: 302, headers: { location, 'cache-control': 'no-cache' } });
      request.resume();
    },
    assets: (request, response, url) => sendFile(request, response, pathBelow(root, url.pathname)),
  };
}

function pathBelow(root: string, pathname: string): string {
  return join(root, normalize(`/${decodeURIComponent(pathname)}`));
}

async function sendFile(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const file = await fileSize(path);
  if (file === null) return sendReply(response, { status: 404, body: 'Not Found\n' });
  const modified = new Date(Math.floor(file.mtimeMs / 1000) * 1000);
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  const headers = { 'last-modified': modified.toUTCString(), 'content-type': 'application/octet-stream' };
  if (since >= modified.getTime()) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'content-length': file.size });
  if (request.method === 'HEAD') response.end();
  else
    createReadStream(path)
      .on('error', () => response.destroy())
      .pipe(response);
}

async function fileSize(path: string): Promise<{ size: number; mtimeMs: number } | null> {
  const file = await stat(path).catch(() => null);
  return file?.isFile() ? file : null;
}
