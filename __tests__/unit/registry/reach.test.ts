import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Log } from '../../../src/job/log';
import { waitUntilAnswered } from '../../../src/registry/reach';

const lines: string[] = [];
const log = { info: (text) => void lines.push(text) } as Partial<Log> as Log;
const sleep = async () => undefined;
beforeEach(() => {
  lines.length = 0;
});

test('a port that answers is not waited for', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await waitUntilAnswered({ host: '127.0.0.1', port }, log, sleep);
  await new Promise((resolve) => server.close(resolve));
  // A refusal is an answer.
  await waitUntilAnswered({ host: '127.0.0.1', port }, log, sleep);
  expect(lines).toEqual([]);
});

test.each([
  ['192.0.2.1', 'Check that `registry-host`'],
  ['registry.example.com', 'Check that the name leads to the instance, that `registry-host`'],
])('what to check for %s', async (host, words) => {
  const silent = waitUntilAnswered({ host, port: 5000 }, log, sleep, {
    probe: async () => false,
    limitMs: 1,
  });
  await expect(silent).rejects.toMatchObject({ problem: { next: expect.stringContaining(words) } });
});

test('silence is waited for, said once, and has an end', async () => {
  let asked = 0;
  const probe = async () => {
    asked += 1;
    return asked > 2;
  };
  await waitUntilAnswered({ host: 'registry.example.com', port: 5000 }, log, sleep, { probe });
  expect(lines).toHaveLength(1);

  const silent = waitUntilAnswered({ host: 'registry.example.com', port: 5000 }, log, sleep, {
    probe: async () => false,
    limitMs: 1,
  });
  await expect(silent).rejects.toMatchObject({
    title: 'Registry not reachable',
    code: 'registry-not-reachable',
    problem: {
      doing: expect.stringContaining('registry.example.com:5000'),
      next: expect.stringContaining('the name leads to'),
    },
  });
});
