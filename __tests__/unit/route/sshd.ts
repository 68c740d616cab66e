import { type AddressInfo, connect, createServer, type Server as NetServer } from 'node:net';
import { type Connection, Server, utils } from 'ssh2';
import type { ProvenLogin } from '../../../src/ssh/connection';
import { offeredHostKey } from '../../../src/ssh/host-keys';
import { generateEphemeralKey } from '../../../src/ssh/keypair';

const hostKey = generateEphemeralKey();
const { privateKey } = generateEphemeralKey();

/** An SSH server in this process that opens connections as it is asked to. */
export class Sshd {
  port = 0;
  logins = 0;
  /** Does not open any. */
  prohibits = false;
  readonly #peers = new Set<Connection>();
  readonly #server = new Server({ hostKeys: [hostKey.privateKey] }, (peer) => {
    this.#peers.add(peer);
    peer.on('error', () => undefined);
    peer.on('close', () => this.#peers.delete(peer));
    peer.on('authentication', (request) => {
      if (request.method === 'publickey') request.accept();
      else request.reject();
    });
    peer.on('ready', () => {
      this.logins += 1;
    });
    // Without a listener the library says that it is prohibited, and with one that nobody listens.
    if (this.prohibits) return;
    peer.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const socket = connect({ host: destIP, port: destPort, allowHalfOpen: true });
      socket.on('error', () => reject());
      socket.on('connect', () => {
        const channel = accept();
        channel.on('error', () => undefined);
        channel.pipe(socket).pipe(channel);
        channel.on('close', () => socket.destroy());
      });
    });
  });

  async start(): Promise<this> {
    this.port = await listening(this.#server as unknown as NetServer);
    return this;
  }

  /** Ends all connections that there are. */
  drop(): void {
    for (const peer of this.#peers) peer.end();
  }

  stop(): void {
    this.drop();
    this.#server.close();
  }

  get login(): ProvenLogin {
    const key = utils.parseKey(hostKey.privateKey);
    if (key instanceof Error) throw key;
    const [first] = [key].flat();
    const shown = offeredHostKey(first?.getPublicSSH() ?? Buffer.alloc(0));
    return { host: '127.0.0.1', port: this.port, user: 'ci', privateKey, hostKey: shown };
  }
}

/** A server that sends back what it gets once that has ended, as far as half-open connections go. */
export async function echo(): Promise<{ readonly port: number; stop(): void }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end(Buffer.concat(chunks)));
  });
  return { port: await listening(server), stop: () => server.close() };
}

function listening(server: NetServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
