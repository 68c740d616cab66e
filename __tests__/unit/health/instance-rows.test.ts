import { instanceRows } from '../../../src/health/instance-rows';
import { overall } from '../../../src/health/overall';
import type { Facts } from '../../../src/instance/facts/facts';
import type { ContainerFacts } from '../../../src/instance/facts/stack';
import { servicesOf } from '../../../src/instance/stack/services';
import { converged, DESIRED } from '../instance/example';

const NOW = Date.parse('2026-11-24T12:00:00Z');

const facts = converged();
const services = servicesOf(DESIRED.registry);
const answering = (registry: number | null, ui: number | null) =>
  new Map([
    ['registry', registry],
    ['ui', ui],
  ]);

function row(name: string, changed: Partial<Facts>) {
  const rows = instanceRows({ ...facts, ...changed }, services, NOW);
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
  const rows = instanceRows(facts, services, NOW);
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
  ['Registry API', { probes: answering(null, 200) }, 'unhealthy', /does not answer/],
  ['Registry API', { probes: answering(401, 200) }, 'healthy', /answers 401/],
  ['Registry API', { probes: answering(503, 200) }, 'unhealthy', /answers 503/],
  ['Web UI', { probes: answering(200, null) }, 'degraded', /does not answer/],
])('%s with %j is %s', (name, changed, state, finding) => {
  expect(row(name, changed)).toEqual({ name, state, finding: expect.stringMatching(finding) });
});

const GIB = 2 ** 30;

test.each([
  [10, 50, 50, 'healthy'],
  [10, 14, 50, 'degraded'],
  [10, 2, 50, 'unhealthy'],
  [10, 50, 2, 'unhealthy'],
  // 14 % of a large disk is room for a long time, 20 GiB of it are not.
  [500, 14, 50, 'healthy'],
  [500, 3, 50, 'degraded'],
  [500, 0.3, 50, 'unhealthy'],
  [500, 14, 14, 'degraded'],
])(
  'a disk of %d GiB with %d %% of its space and %d %% of its inodes free is %s',
  (size, space, inodes, state) => {
    const disk = {
      name: 'data',
      path: '/data',
      mount: '/data',
      size: size * GIB,
      available: (size * GIB * space) / 100,
      inodes: 1000,
      inodesAvailable: inodes * 10,
    };
    expect(row('Disk of data', { disks: [disk] }).state).toBe(state);
  },
);

test('without a UI there is no row for it', () => {
  expect(instanceRows(facts, services.slice(0, 1), NOW).map(({ name }) => name)).not.toContain('Web UI');
});

describe('the age of an image', () => {
  const withImage = (created: string, pulled: string, image = 'registry:3') => ({
    ...registry({ image }),
    images: [{ id: 'sha256:1', created, pulled }],
  });
  const never = '0001-01-01T00:00:00Z';

  test.each<[string, Partial<Facts>, string, RegExp]>([
    [
      'new',
      withImage('2026-10-01T00:00:00Z', '2026-11-14T12:00:00Z'),
      'healthy',
      /^registry:3 is unchanged for 10 days: built on 2026-10-01, on this instance since 2026-11-14$/,
    ],
    [
      'not pulled for long',
      withImage('2026-01-01T00:00:00Z', '2026-01-10T12:00:00Z'),
      'degraded',
      /unchanged for 318 days: .*; what was fixed since is missing/,
    ],
    [
      'old, and of an unknown time here',
      withImage('2025-11-24T12:00:00Z', never),
      'degraded',
      /unchanged for 365 days/,
    ],
    [
      'pulled lately',
      withImage('2024-01-01T00:00:00Z', '2026-11-20T00:00:00Z'),
      'healthy',
      /unchanged for 4 days/,
    ],
    [
      'pinned',
      withImage('2025-11-24T12:00:00Z', '', `registry@sha256:${'0'.repeat(64)}`),
      'degraded',
      /pinned by its digest/,
    ],
  ])('%s', (_, changed, state, finding) => {
    expect(row('Image of registry', changed)).toMatchObject({
      state,
      finding: expect.stringMatching(finding),
    });
  });

  test('of the UI is named and makes nothing worse', () => {
    expect(row('Image of ui', withImage('2024-01-01T00:00:00Z', never))).toMatchObject({ state: 'healthy' });
  });

  test('that is not known has no row', () => {
    expect(instanceRows(facts, services, NOW).map(({ name }) => name)).not.toContain('Image of registry');
  });
});
