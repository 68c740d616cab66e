import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import type { TunnelAnswer, TunnelOrder } from '../../../src/route/order';
import { serveTunnel } from '../../../src/route/serve';
import { echo, Sshd } from './sshd';

let sshd: Sshd;
let target: Awaited<ReturnType<typeof echo>>;

beforeEach(async () => {
  [sshd, target] = await Promise.all([new Sshd().start(), echo()]);
});
afterEach(() => {
  sshd.stop();
  target.stop();
});

/** Serves in this process, and returns what it answers and how to end it. */
async function serve(changes: Partial<TunnelOrder> = {}) {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const order = { login: sshd.login, target: target.port, job: null, lifetimeMs: 60_000, ...changes };
  const ended = serveTunnel({ stdin, stdout });
  stdin.write(`${JSON.stringify(order)}\n`);
  const [line] = (await once(stdout, 'data')) as [Buffer];
  const answer = JSON.parse(line.toString()) as TunnelAnswer;
  return { answer, port: answer.kind === 'ready' ? answer.port : 0, ended, stdin };
}

/** Sends bytes, ends, and returns what comes. */
async function exchange(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('what is sent comes back whole, the end of each side included, many at once', async () => {
  const { port, stdin, ended } = await serve();
  const all = Array.from({ length: 12 }, (_, index) => randomBytes(index * 400_000));
  const back = await Promise.all(all.map((bytes) => exchange(port, bytes)));
  expect(back.map((bytes, index) => bytes.equals(all[index] as Buffer))).toEqual(all.map(() => true));
  expect(sshd.logins).toBe(1);
  stdin.end();
  await ended;
});

test('it is the process of the port, and prefers the number of the registry where that is free', async () => {
  const there = await serve();
  expect(there.answer).toMatchObject({ kind: 'ready', process: { pid: process.pid } });
  // The server that it leads to has that one, on this machine.
  expect(there.port).not.toBe(target.port);
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  const here = await serve({ target: port });
  expect(here.port).toBe(port);
  for (const { stdin, ended } of [there, here]) {
    stdin.end();
    await ended;
  }
});

test('without a word it ends with the one who started it, and nothing listens any more', async () => {
  const { port, stdin, ended } = await serve();
  stdin.end();
  await ended;
  await expect(exchange(port, Buffer.from('x'))).rejects.toThrow(/ECONNREFUSED/);
});

test('one that dies while the login still waits is not waited for', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const stdin = new PassThrough();
  const order = { login: { ...sshd.login, port }, target: 1, job: null, lifetimeMs: 60_000 };
  const ended = serveTunnel({ stdin, stdout: new PassThrough() });
  stdin.write(`${JSON.stringify(order)}\n`);
  const [peer] = await once(silent, 'connection');
  stdin.end();
  await ended;
  // No more tries, after what is no SSH server.
  peer.resume().end('SSH-1.0-old\r\n');
  await once(peer, 'close');
  silent.close();
});

test('told to go on, it does so until the process of the job is gone', async () => {
  const { port, stdin, ended } = await serve({ job: { pid: process.pid, started: '1' } });
  stdin.end('go\n');
  expect((await exchange(port, Buffer.from('on'))).toString()).toBe('on');
  await ended;
  await expect(exchange(port, Buffer.from('x'))).rejects.toThrow(/ECONNREFUSED/);
});

test('or until its time is over', async () => {
  const { stdin, ended } = await serve({ lifetimeMs: 200 });
  stdin.end('go\n');
  await ended;
});

test('a connection that was lost is made anew by the next one who comes, once for all who come meanwhile', async () => {
  const { port, stdin, ended } = await serve();
  sshd.drop();
  const words = ['a', 'b', 'c'].map((word) => Buffer.from(word));
  expect((await Promise.all(words.map((word) => exchange(port, word)))).join('')).toBe('abc');
  expect(sshd.logins).toBeLessThanOrEqual(2);
  stdin.end();
  await ended;
});

test('forwarding that sshd does not allow is told at once', async () => {
  sshd.prohibits = true;
  const { answer, ended } = await serve();
  expect(answer).toEqual({ kind: 'prohibited' });
  await ended;
});

test('a registry that is not there yet is no reason to fail', async () => {
  target.stop();
  const { answer, stdin, ended } = await serve();
  expect(answer.kind).toBe('ready');
  stdin.end();
  await ended;
});

test('another host key than the one that was seen is refused', async () => {
  const login = { ...sshd.login, hostKey: { type: 'ssh-ed25519', fingerprint: `SHA256:${'A'.repeat(43)}` } };
  const { answer, ended } = await serve({ login });
  expect(answer).toMatchObject({ kind: 'failed', message: expect.stringMatching(/^Wrong host key/) });
  await ended;
});
