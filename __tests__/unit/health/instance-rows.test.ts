import { instanceRows } from '../../../src/health/instance-rows';
import { overall } from '../../../src/health/overall';
import type { ContainerFacts, Facts } from '../../../src/instance/facts/facts';
import { converged } from '../instance/example';

const NOW = Date.parse('2026-11-24T12:00:00Z');

const facts = converged();

function row(name: string, changed: Partial<Facts>) {
  const rows = instanceRows({ ...facts, ...changed }, true, NOW);
  const found = rows.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no row ${name}: ${rows.map((each) => each.name).join()}`);
  return found;
}

function registry(changed: Partial<ContainerFacts>): Partial<Facts> {
  return {
    containers: facts.containers.map((each) =>
      each.service === 'registry' ? { ...each, ...changed } : each,
    ),
  };
}

test('a converged instance is healthy', () => {
  const rows = instanceRows(facts, true, NOW);
  expect(rows.filter(({ state }) => state !== 'healthy')).toEqual([]);
  expect(overall(rows)).toBe('healthy');
});

test.each<[string, Partial<Facts>, string, RegExp]>([
  [
    'Docker service',
    { engine: '', service: { ...facts.service, active: 'failed' } },
    'unhealthy',
    /is failed/,
  ],
  [
    'Docker service',
    { service: { ...facts.service, enabled: 'disabled' } },
    'degraded',
    /does not start at boot/,
  ],
  ['Container registry', { containers: [] }, 'unhealthy', /does not exist/],
  ['Container ui', { containers: [] }, 'degraded', /does not exist/],
  [
    'Container registry',
    registry({ state: 'exited', exitCode: 137 }),
    'unhealthy',
    /is exited, exit code 137/,
  ],
  [
    'Container registry',
    registry({ state: 'restarting', restarts: 7 }),
    'unhealthy',
    /keeps restarting: 7 times/,
  ],
  ['Container registry', registry({ health: 'unhealthy' }), 'unhealthy', /health check fails/],
  ['Container registry', registry({ health: 'starting' }), 'healthy', /running/],
  [
    'Container registry',
    registry({ restarts: 2, startedAt: '2026-11-24T11:55:00Z' }),
    'degraded',
    /restarted 2 times, last at/,
  ],
  [
    'Container registry',
    registry({ restarts: 2, startedAt: '2026-11-20T00:00:00Z' }),
    'healthy',
    /restarted 2 times/,
  ],
  ['Registry API', { registryStatus: null }, 'unhealthy', /does not answer/],
  ['Registry API', { registryStatus: 401 }, 'healthy', /answers 401/],
  ['Registry API', { registryStatus: 503 }, 'unhealthy', /answers 503/],
  ['Web UI', { uiStatus: null }, 'degraded', /does not answer/],
])('%s with %j is %s', (name, changed, state, finding) => {
  expect(row(name, changed)).toEqual({ name, state, finding: expect.stringMatching(finding) });
});

test.each([
  [50, 50, 'healthy'],
  [14, 50, 'degraded'],
  [2, 50, 'unhealthy'],
  [50, 2, 'unhealthy'],
])('a disk with %d %% of its space and %d %% of its inodes free is %s', (space, inodes, state) => {
  const disk = {
    name: 'data',
    path: '/data',
    mount: '/data',
    size: 1000,
    available: space * 10,
    inodes: 1000,
    inodesAvailable: inodes * 10,
  };
  expect(row('Disk of data', { disks: [disk] }).state).toBe(state);
});

test('without a UI there is no row for it', () => {
  expect(instanceRows(facts, false, NOW).map(({ name }) => name)).not.toContain('Web UI');
});
