import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Docker } from '../docker/docker';
import { ActionError } from '../values/errors';

/** The daemon asks at once, or never. */
const LIMIT_MS = 20_000;

/**
 * Refuses a Docker daemon that does not share this machine's loopback: one in a virtual machine (Docker Desktop, Colima),
 * in a network of its own (rootless), or of another machine. It is tried rather than guessed: the daemon is to pull an
 * image of a name that nobody else knows, from a port that this process listens on.
 *
 * https://github.com/docker/for-mac/issues/6869, https://github.com/psviderski/unregistry/issues/28
 *
 * @throws ActionError `Docker does not reach the tunnel`
 */
export async function requireSharedLoopback(docker: Docker): Promise<void> {
  const path = `gce-registry-action/${randomBytes(8).toString('hex')}`;
  let came = false;
  let asked = false;
  const server = createServer((request, response) => {
    if (request.url?.includes(path)) asked = true;
    // As a registry that has no such image.
    response.writeHead(request.url === '/v2/' ? 200 : 404, { connection: 'close' }).end();
  });
  server.on('connection', () => {
    came = true;
  });
  const port = await listen(server);
  const ended = new AbortController();
  try {
    await Promise.race([
      docker.pull(`127.0.0.1:${port}/${path}:none`, () => undefined),
      delay(LIMIT_MS, undefined, { signal: ended.signal }).catch(() => undefined),
    ]);
  } finally {
    ended.abort();
    server.close();
    server.closeAllConnections();
  }
  if (!asked) throw came ? wantsTls() : isElsewhere();
}

function isElsewhere(): ActionError {
  return new ActionError('Docker does not reach the tunnel', {
    doing: DOING,
    happened:
      'it does not: the daemon runs on another machine, in a virtual one (Docker Desktop, Colima), rootless, or the job is in a container of its own',
    next: 'Run the job where Docker Engine runs (ubuntu-24.04, or a runner of your own without `container:`), or use `route: direct`',
  });
}

/** From 29.10 on a list of insecure registries takes the loopback out of them: https://github.com/moby/moby/releases/tag/docker-v29.10.0 */
function wantsTls(): ActionError {
  return new ActionError('Docker does not reach the tunnel', {
    doing: DOING,
    happened:
      'it comes there, and speaks to nobody without a certificate that it knows: with a list of `insecure-registries` Docker from 29.10 on takes the loopback out of them (and Podman never has it in)',
    next: 'Add "127.0.0.0/8" to `insecure-registries` in daemon.json of this runner and reload Docker, or use `route: direct`',
  });
}

const DOING = "trying whether Docker reaches this runner's loopback, where the tunnel of `route: ssh` begins";

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
