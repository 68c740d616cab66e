import { generateKeyPairSync } from 'node:crypto';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Server, type ServerChannel, utils } from 'ssh2';
import type { Log } from '../../../src/job/log';
import { type ConnectOptions, connect } from '../../../src/ssh/connect';
import { SshTimedOut } from '../../../src/ssh/connect-errors';
import { fingerprintOf, type HostKeyPolicy } from '../../../src/ssh/host-keys';
import { generateEphemeralKey } from '../../../src/ssh/keypair';
import { SshConnectionLost } from '../../../src/ssh/remote-command';

const lines: string[] = [];
const log: Log = {
  info: (text) => lines.push(text),
  debug: () => undefined,
  notice: () => undefined,
  warning: (text) => lines.push(`warning: ${text}`),
  group: (_, work) => work(),
  foreign: () => undefined,
  mask: () => undefined,
};

const ed25519 = generateEphemeralKey();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs1',
  format: 'pem',
});
const client = generateEphemeralKey();

function publicBlob(privateKey: string): Buffer {
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return (Array.isArray(parsed) ? parsed[0] : parsed).getPublicSSH();
}

const pin = (privateKey: string, type: string | null) => ({
  type,
  fingerprint: fingerprintOf(publicBlob(privateKey)),
});

interface Sshd {
  readonly port: number;
  connections: number;
  keysOffered: number;
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
  lines.length = 0;
});

/** An SSH server in this process: takes the key after `refusals` attempts, and runs `onCommand`. */
async function sshd(
  options: {
    hostKeys?: string[];
    refusals?: number;
    refusedOffers?: number;
    onCommand?: (channel: ServerChannel, command: string, end: () => void) => void;
  } = {},
): Promise<Sshd> {
  const state = { port: 0, connections: 0, keysOffered: 0 };
  const server = new Server({ hostKeys: options.hostKeys ?? [ed25519.privateKey] }, (peer) => {
    state.connections++;
    peer.on('error', () => undefined);
    peer.on('authentication', (request) => {
      if (request.method !== 'publickey') return request.reject();
      state.keysOffered++;
      if (state.connections <= (options.refusals ?? 0)) return request.reject();
      if (state.keysOffered <= (options.refusedOffers ?? 0)) return request.reject();
      request.accept();
    });
    peer.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        options.onCommand?.(acceptExec(), command, () => peer.end());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  state.port = (server.address() as AddressInfo).port;
  return state;
}

function optionsFor(port: number, policy: HostKeyPolicy, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return {
    host: '127.0.0.1',
    port,
    user: 'ci',
    privateKey: client.privateKey,
    policy,
    reachWithinMs: 0,
    loginWithinMs: 0,
    ...more,
  };
}

const pinned = (...keys: { type: string | null; fingerprint: string }[]): HostKeyPolicy => ({
  kind: 'pinned',
  keys,
  source: 'ssh-host-key',
});
const pinnedEd25519 = pinned(pin(ed25519.privateKey, 'ssh-ed25519'));

describe('host keys', () => {
  test('a pinned key is accepted with one connection', async () => {
    const server = await sshd();
    (await connect(optionsFor(server.port, pinnedEd25519), log)).close();
    expect(server).toMatchObject({ connections: 1 });
    expect(lines).toEqual([]);
  });

  test('of a server with several keys the pinned type is negotiated', async () => {
    const server = await sshd({ hostKeys: [ed25519.privateKey, rsa as string] });
    (await connect(optionsFor(server.port, pinned(pin(rsa as string, 'ssh-rsa'))), log)).close();
    expect(server.connections).toBe(1);
  });

  test('a fingerprint of any type is found', async () => {
    const server = await sshd({ hostKeys: [ed25519.privateKey, rsa as string] });
    (await connect(optionsFor(server.port, pinned(pin(rsa as string, null))), log)).close();
  });

  test('a wrong key is refused, and no key is offered to it', async () => {
    const server = await sshd();
    const other = generateEphemeralKey();
    const policy = pinned(pin(other.privateKey, 'ssh-ed25519'));
    const attempt = connect(optionsFor(server.port, policy), log);
    await expect(attempt).rejects.toThrow('Wrong host key');
    await expect(attempt).rejects.toThrow(pin(ed25519.privateKey, null).fingerprint);
    expect(server.keysOffered).toBe(0);
  });

  test('a server without a key of the pinned type is refused by the key that it has', async () => {
    const server = await sshd({ hostKeys: [rsa as string] });
    const attempt = connect(optionsFor(server.port, pinnedEd25519), log);
    await expect(attempt).rejects.toThrow('Wrong host key');
    await expect(attempt).rejects.toThrow(pin(rsa as string, null).fingerprint);
    expect(server.keysOffered).toBe(0);
  });

  test('without a known key nothing is sent', async () => {
    const server = await sshd();
    await expect(connect(optionsFor(server.port, pinned()), log)).rejects.toThrow('Unknown host key');
    expect(server.keysOffered).toBe(0);
  });

  test('unverified warns', async () => {
    const server = await sshd();
    (await connect(optionsFor(server.port, { kind: 'unverified' }), log)).close();
    expect(lines).toEqual([expect.stringContaining('warning: The host key of 127.0.0.1 is not verified')]);
  });
});

describe('waiting', () => {
  test('for a key that the guest agent takes a moment later: in the same connection', async () => {
    const server = await sshd({ refusedOffers: 3 });
    (await connect(optionsFor(server.port, pinnedEd25519, { loginWithinMs: 5000 }), log)).close();
    expect(server.connections).toBe(1);
    expect(lines).toEqual([]);
  });

  test('a key of the user’s is offered once', async () => {
    const server = await sshd({ refusedOffers: 1 });
    // OS Login of the project, which the action may not read, is among the causes it names, with the way out.
    await expect(connect(optionsFor(server.port, pinnedEd25519), log)).rejects.toMatchObject({
      title: 'SSH login refused',
      problem: {
        next: expect.stringMatching(/OS Login is enabled for its project.*set enable-oslogin=FALSE/),
      },
    });
    expect(server).toMatchObject({ connections: 1, keysOffered: 1 });
  });

  test('the connection is made, and the key is not offered before it is admitted', async () => {
    const server = await sshd();
    let admit = () => {};
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const connecting = connect(optionsFor(server.port, pinnedEd25519, { admitted }), log);
    while (server.connections === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(server.keysOffered).toBe(0);
    admit();
    (await connecting).close();
    expect(server.connections).toBe(1);
  });

  test('a key that is not admitted ends the login with that error', async () => {
    const server = await sshd();
    const admitted = Promise.reject(new Error('no permission'));
    const connecting = connect(optionsFor(server.port, pinnedEd25519, { admitted }), log);
    await expect(connecting).rejects.toThrow('no permission');
    expect(server.keysOffered).toBe(0);
  });

  test.each([
    ['before the first try', 0, 0],
    ['during a try', 300, 0],
    ['in a pause between two tries', 1500, 1000],
  ])(
    'a key that is refused %s ends the login at once, though the port is silent',
    async (_, refusedAfter, attempt) => {
      const { port } = await listener(() => undefined);
      const admitted = new Promise((_, reject) =>
        setTimeout(() => reject(new Error('no permission')), refusedAfter),
      );
      const started = Date.now();
      const more = { admitted, reachWithinMs: 90_000, attemptTimeoutMs: attempt || 15_000 };
      await expect(connect(optionsFor(port, pinnedEd25519, more), log)).rejects.toThrow('no permission');
      expect(Date.now() - started).toBeLessThan(refusedAfter + 500);
    },
  );

  test('no longer than the limit, though one try could last longer', async () => {
    const { port } = await listener(() => undefined);
    const started = Date.now();
    const more = { reachWithinMs: 1500, attemptTimeoutMs: 15_000 };
    await expect(connect(optionsFor(port, pinnedEd25519, more), log)).rejects.toThrow('SSH timed out');
    expect(Date.now() - started).toBeLessThan(2500);
  });

  test('what the log says counts from when the key is admitted, while it is not', async () => {
    const { port } = await listener(() => undefined);
    const admitted = new Promise((_, reject) => setTimeout(() => reject(new Error('no permission')), 1500));
    const more = { admitted, reachWithinMs: 90_000, attemptTimeoutMs: 1000 };
    await expect(connect(optionsFor(port, pinnedEd25519, more), log)).rejects.toThrow('no permission');
    expect(lines).toEqual([expect.stringMatching(/at most 90 s from when Google Cloud has taken the key$/)]);
  });

  test('for a key that the guest agent takes later', async () => {
    const server = await sshd({ refusals: 1 });
    const connection = await connect(optionsFor(server.port, pinnedEd25519, { loginWithinMs: 20_000 }), log);
    connection.close();
    expect(server.connections).toBe(2);
    expect(lines).toEqual([expect.stringContaining('accept the SSH key: trying again in 1 s')]);
  });

  test('not for a key that is refused for good', async () => {
    const server = await sshd({ refusals: 99 });
    await expect(connect(optionsFor(server.port, pinnedEd25519), log)).rejects.toThrow('SSH login refused');
  });

  test('not for a port where nothing listens', async () => {
    const { port, close } = await listener(() => undefined);
    await close();
    await expect(connect(optionsFor(port, pinnedEd25519), log)).rejects.toThrow('No SSH connection');
  });

  test('not for a server that never says anything', async () => {
    const { port } = await listener(() => undefined);
    const attempt = connect(optionsFor(port, pinnedEd25519, { attemptTimeoutMs: 1000 }), log);
    await expect(attempt).rejects.toBeInstanceOf(SshTimedOut);
  });

  test('not for a server that speaks something else without an end', async () => {
    const { port } = await listener((socket) => Readable.from(endless()).pipe(socket));
    await expect(connect(optionsFor(port, pinnedEd25519, { attemptTimeoutMs: 2000 }), log)).rejects.toThrow(
      /No SSH connection|SSH timed out/,
    );
  });
});

function* endless(): Generator<string> {
  for (;;) yield 'HTTP/1.1 400 Bad Request\r\n'.repeat(100);
}

async function listener(accept: (socket: Socket) => void): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: NetServer = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  open.push(() => void close());
  return { port: (server.address() as AddressInfo).port, close };
}

test.each([
  ['rubbish', 'not a key'],
  ['a public key', client.publicKey],
])('%s is no private key', async (_, privateKey) => {
  await expect(connect(optionsFor(1, pinnedEd25519, { privateKey }), log)).rejects.toThrow(
    'Invalid SSH private key',
  );
});

describe('run', () => {
  async function connection(onCommand: (channel: ServerChannel, command: string, end: () => void) => void) {
    const server = await sshd({ onCommand });
    const connected = await connect(optionsFor(server.port, pinnedEd25519), log);
    open.push(() => connected.close());
    return connected;
  }

  test('sends standard input and returns output, lines and status', async () => {
    const ssh = await connection((channel, command) => {
      const chunks: Buffer[] = [];
      channel.on('data', (chunk: Buffer) => chunks.push(chunk));
      channel.on('end', () => {
        channel.write(`${command}: `);
        channel.write(Buffer.concat(chunks));
        channel.stderr.write('a warning\n');
        channel.exit(3);
        channel.end();
      });
    });
    for (const stdin of [
      'é\nlast',
      Buffer.from('é\nlast'),
      Readable.from([Buffer.from('é\n'), Buffer.from('last')]),
    ]) {
      const seen: string[] = [];
      const result = await ssh.run('cat', { stdin, timeoutMs: 5000, onLine: (line) => seen.push(line) });
      expect(result).toEqual({ status: 3, signal: null, stdout: 'cat: é\nlast', stderr: 'a warning\n' });
      expect(seen).toEqual(['cat: é', 'last']);
    }
  });

  test('gives up on a command that does not end', async () => {
    const ssh = await connection(() => undefined);
    await expect(ssh.run('sleep', { stdin: '', timeoutMs: 200 })).rejects.toThrow('Remote command timed out');
  });

  test('gives up on output without an end', async () => {
    const ssh = await connection((channel) => Readable.from(endless()).pipe(channel));
    const run = ssh.run('yes', { stdin: '', timeoutMs: 10_000, maxOutputBytes: 100_000 });
    await expect(run).rejects.toThrow('Too much remote output');
  });

  test('says that the connection was lost, and makes a new one for the next command', async () => {
    const server = await sshd({
      onCommand: (channel, command, end) => {
        if (command === 'lose') return end();
        channel.exit(0);
        channel.end('here');
      },
    });
    const ssh = await connect(optionsFor(server.port, pinnedEd25519), log);
    open.push(() => ssh.close());
    for (const connections of [1, 2]) {
      await expect(ssh.run('lose', { stdin: '', timeoutMs: 5000 })).rejects.toBeInstanceOf(SshConnectionLost);
      expect(server.connections).toBe(connections);
    }
    expect(await ssh.run('stay', { stdin: '', timeoutMs: 5000 })).toMatchObject({ stdout: 'here' });
    expect(await ssh.run('stay', { stdin: '', timeoutMs: 5000 })).toMatchObject({ stdout: 'here' });
    expect(server.connections).toBe(3);
  });

  test('after it was closed no command makes a new connection', async () => {
    const server = await sshd({ onCommand: (_channel, _command, end) => end() });
    const ssh = await connect(optionsFor(server.port, pinnedEd25519), log);
    await expect(ssh.run('lose', { stdin: '', timeoutMs: 5000 })).rejects.toBeInstanceOf(SshConnectionLost);
    ssh.close();
    await expect(ssh.run('stay', { stdin: '', timeoutMs: 5000 })).rejects.toThrow('was closed');
    expect(server.connections).toBe(1);
  });

  test('closed while a new connection is being made, it is closed as well', async () => {
    const server = await sshd({
      onCommand: (channel, command, end) => {
        if (command === 'lose') return end();
        channel.exit(0);
        channel.end('here');
      },
    });
    const ssh = await connect(optionsFor(server.port, pinnedEd25519), log);
    await expect(ssh.run('lose', { stdin: '', timeoutMs: 5000 })).rejects.toBeInstanceOf(SshConnectionLost);
    const late = ssh.run('stay', { stdin: '', timeoutMs: 5000 });
    ssh.close();
    await expect(late).rejects.toThrow('was closed');
  });
});
