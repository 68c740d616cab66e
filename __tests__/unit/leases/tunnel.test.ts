import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { markOf, runs } from '../../../src/job/process';
import { isTunnelLease, takeTunnel } from '../../../src/leases/tunnel';
import type { StartTunnel } from '../../../src/route/start';
import type { ProvenLogin } from '../../../src/ssh/connection';
import { fakeLog } from '../google/fakes';
import { FakeState, termsOf } from './example';

const login: ProvenLogin = {
  host: '203.0.113.9',
  port: 22,
  user: 'ci',
  privateKey: 'a secret',
  hostKey: { type: 'ssh-ed25519', fingerprint: '' },
};
const order = { login, target: 5000, job: null };

test('it is noted before it is opened, with its process before it may go on, and without a secret', async () => {
  const state = new FakeState();
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const seen: unknown[] = [];
  const start: StartTunnel = async ({ lifetimeMs }) => {
    seen.push(state.records[0]?.process, lifetimeMs);
    return {
      port: 5000,
      process: markOf(Number(child.pid)),
      go: async () => void seen.push(state.records[0]?.process),
    };
  };
  const tunnel = await takeTunnel(start, order, termsOf(state));
  const mark = markOf(Number(child.pid));
  expect(seen).toEqual([null, 7 * 60 * 60 * 1000, mark]);
  expect(state.history.join()).not.toContain('secret');
  await tunnel.release(fakeLog());
  expect([runs(mark), state.records]).toEqual([false, []]);
});

test('a process that somebody has ended is named as that', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const process = markOf(Number(child.pid));
  const start: StartTunnel = async () => ({ port: 5000, process, go: async () => undefined });
  const tunnel = await takeTunnel(start, order, termsOf(new FakeState()));
  expect(tunnel.require).not.toThrow();
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(tunnel.require).toThrow(/^Tunnel ended: .*port 5000/);
});

const good = { kind: 'tunnel', process: { pid: 42, started: '8765' }, expires: '2026-01-01T00:00:00Z' };

test.each([
  ['as it is written', {}, true],
  ['of one that did not come to listen', { process: null }, true],
  ['where there is no /proc', { process: { pid: 42, started: null } }, true],
  ['that names all processes', { process: { pid: -1, started: null } }, false],
  ['that names a group', { process: { pid: -42, started: '1' } }, false],
  ['that names the first process', { process: { pid: 1, started: '1' } }, false],
  ['with a start that is none', { process: { pid: 42, started: 'x' } }, false],
  ['with an id that is none', { process: { pid: '42', started: '1' } }, false],
  ['without a process', { process: undefined }, false],
  ['without an end', { expires: 'soon' }, false],
])('a record %s', (_, changes, expected) => {
  expect(isTunnelLease({ ...good, ...changes })).toBe(expected);
});
