// Stands on the runner between the runner and one instance, so that the instance still sees the runner's address:
// node main.ts ADDRESS SSH_PORT REGISTRY_PORT ELSEWHERE_PORT FOLDER. The rules that lead connections here are in
// `redirect`. When its faults are cleared and its connections have ended, it ends, and with it the rules.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { byProtocol } from './by-protocol.ts';
import { WireFaults } from './faults.ts';
import { type Line, link } from './link.ts';
import { elsewhere, registryProxy } from './registry-proxy.ts';

const [address = '', sshPort = '', registryPort = '', elsewherePort = '', folder = ''] =
  process.argv.slice(2);
const faults = new WireFaults();
const open = new Set<Socket>();
let released = false;

function listen(port: number, far: () => Socket, line: Line): void {
  createServer({ allowHalfOpen: true }, (near) => {
    open.add(near);
    near.on('close', () => {
      open.delete(near);
      endIfIdle();
    });
    link(near, far, line);
  }).listen(port, '127.0.0.1');
}

function endIfIdle(): void {
  if (released && open.size === 0) process.exit(0);
}

listen(Number(sshPort), () => connect({ host: address, port: 22, allowHalfOpen: true }), {
  delayMs: () => faults['slow-network'],
  limit: () => faults.sshLimit(),
  onReset: () => {
    faults['ssh-drop'] = null;
    faults.struck.sshDrops += 1;
  },
  onBytes: (total) => {
    faults.struck.sshBytes = Math.max(faults.struck.sshBytes, total);
  },
});

const options = {
  host: address,
  port: 5000,
  faults,
  elsewhere: `http://127.0.0.1:${elsewherePort}`,
};
const proxy = registryProxy(options).listen(0, '127.0.0.1');
const portOf = (server: Server) => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
const chooser = byProtocol({ host: address, port: 5000 }, () => portOf(proxy)).listen(0, '127.0.0.1');
elsewhere(options).listen(Number(elsewherePort), '127.0.0.1');
listen(Number(registryPort), () => connect({ ...portOf(chooser), allowHalfOpen: true }), {
  delayMs: () => faults['slow-network'],
  limit: () => faults['registry-reset'],
  onReset: () => {
    faults.struck.registryResets += 1;
  },
  onBytes: () => undefined,
});

/** PUT /NAME?VALUE sets a fault, GET / tells what they did. */
createHttpServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://relay');
  try {
    if (request.method === 'PUT') {
      const value = decodeURIComponent(url.search.slice(1));
      faults.set(url.pathname.slice(1), value);
      released = value === 'off' && !faults.any;
    }
    response.end(JSON.stringify({ ...faults }));
  } catch (error) {
    response.writeHead(400).end((error as Error).message);
  }
  if (request.method === 'PUT') response.on('finish', () => setTimeout(endIfIdle, 50));
}).listen(`${folder}/control.sock`);
