import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Exec } from '../../../src/job/exec';
import { bootstrap } from '../../../src/modes/bootstrap';
import { connect } from '../../../src/modes/connect';
import { deploy } from '../../../src/modes/deploy';
import { healthCheck } from '../../../src/modes/health-check';
import { pushOnly } from '../../../src/modes/push';
import type { Run } from '../../../src/modes/run';
import { readSettings } from '../../../src/settings/read';
import { VM } from '../firewall/fixtures';
import { FakeStorage } from '../google/fake-storage';
import { fakeLog } from '../google/fakes';
import { CONTEXT, FakeCompute, FakeState, termsOf } from '../leases/example';

const defaults = Object.fromEntries(
  Object.entries(
    (parse(readFileSync('action.yml', 'utf8')) as { inputs: Record<string, { default?: string }> }).inputs,
  ).map(([name, { default: value }]) => [name, value ?? '']),
);

let compute: FakeCompute;
let state: FakeState;
let log: ReturnType<typeof fakeLog>;
let commands: string[];
let answers: (command: string) => { status: number; stdout?: string; stderr?: string };
let connections: number;

beforeEach(() => {
  compute = new FakeCompute();
  state = new FakeState();
  log = fakeLog();
  commands = [];
  connections = 0;
  answers = () => ({ status: 1, stderr: 'Error: No such image: app:1' });
});

const exec: Exec = async (command, args) => {
  const line = [command, ...args].join(' ');
  commands.push(line);
  return { signal: null, stdout: '', stderr: '', ...answers(line) };
};

function runWith(given: Record<string, string>, changes: Partial<Run> = {}): Run {
  const values = { ...defaults, zone: 'europe-west1-b', instance: 'web-1', image: 'app:1', ...given };
  return {
    settings: readSettings((name) => values[name as keyof typeof values] ?? '', undefined),
    job: { identity: { runId: '1', attempt: '1', unique: 'x' }, url: null, name: 'job' },
    google: CONTEXT,
    log,
    host: {
      platform: 'linux',
      isRoot: true,
      parentPid: 1,
      dockerConfig: '/home/ci/.docker',
      exec,
      read: async () => null,
      list: async () => [],
    },
    sleep: async () => undefined,
    variables: { get: () => undefined, set: () => undefined },
    temporary: '/nowhere',
    reach: {
      google: async () => ({
        project: 'service',
        compute,
        storage: new FakeStorage(),
        describe: 'an access token',
      }),
      dns: async () => ({ kind: 'addresses', addresses: [] }),
      ssh: async () => {
        connections += 1;
        throw new Error('no SSH here');
      },
      tunnel: () => Promise.reject(new Error('no tunnel here')),
    },
    leases: termsOf(state),
    ...changes,
  };
}

const dry = { 'dry-run': 'true', 'configure-runner': 'false', 'source-ranges': '192.0.2.0/24' };

test.each([
  ['deploy', deploy],
  ['bootstrap', bootstrap],
  ['push', pushOnly],
  ['connect', connect],
  ['health-check', healthCheck],
])('a dry run in mode %s changes nothing, makes no key, and pulls nothing', async (mode, work) => {
  const report = await work(runWith({ ...dry, mode }));
  expect(report).toMatchObject({ onlyPlanned: true, instanceIp: '203.0.113.9', images: [] });
  expect([compute.calls, state.history, connections]).toEqual([[], [], 0]);
  expect(commands.filter((command) => command.includes('pull'))).toEqual([]);
});

test('a dry run says what it would change', async () => {
  const report = await deploy(runWith({ ...dry, mode: 'deploy' }));
  expect(report.changes).toMatchObject([{ target: 'firewall', from: null }]);
  expect(log.lines).toContain('image: would push 203.0.113.9:5000/app:1');
});

test('a dry run through SSH opens no tunnel, makes no rule and no tag', async () => {
  const through = { ...dry, 'source-ranges': '', route: 'ssh', mode: 'deploy' };
  const report = await deploy(runWith(through));
  expect(report).toMatchObject({ changes: [], job: null, loopback: true });
  expect(state.history).toEqual([]);
  expect(log.lines.join()).toContain('would lead a port of this runner');
});

describe('deploy', () => {
  test('an image that cannot be had ends the run before anything that lasts is changed', async () => {
    answers = (line) =>
      line.includes('pull')
        ? { status: 1, stderr: 'pull access denied for app, repository does not exist' }
        : { status: 1, stderr: 'Error: No such image: app:1' };
    const run = runWith({ 'ssh-host-key': 'unverified', 'configure-runner': 'false' });
    await expect(deploy(run)).rejects.toThrow(/no SSH here|Image not found/);
    expect(commands).toContain('docker pull -- app:1');
    expect(compute.calls).toEqual(['metadata ssh-keys']);
    expect(state.records).toMatchObject([{ kind: 'key', settled: true }]);
  });

  test('a key that Google refuses is the cause that is named', async () => {
    compute.failing = { editMetadata: new Error('403 setMetadata') };
    const ssh = async ({ admitted }: { admitted?: Promise<unknown> }) => {
      await admitted;
      throw new Error('not to be seen');
    };
    const reach = { ...runWith({}).reach, ssh: ssh as Run['reach']['ssh'] };
    const run = runWith({ 'ssh-host-key': 'unverified', 'configure-runner': 'false' }, { reach });
    await expect(deploy(run)).rejects.toThrow('403 setMetadata');
  });

  test.each([
    ['is not running', { status: 'TERMINATED' }, 'The instance is not running'],
    ['runs Windows', { windows: true }, 'The instance runs Windows'],
  ])('an instance that %s is named before anything else', async (_, changes, title) => {
    compute.vm = { ...VM, ...changes };
    await expect(deploy(runWith({}))).rejects.toMatchObject({ title });
    expect([compute.calls, commands, connections]).toEqual([[], [], 0]);
  });
});

describe('push', () => {
  const known = { mode: 'push', 'registry-host': '127.0.0.1', 'source-ranges': '192.0.2.0/24' };

  test('asks Google nothing where the inputs leave nothing open', async () => {
    const reach = { ...runWith({}).reach, google: () => Promise.reject(new Error('not to be called')) };
    const report = await pushOnly(
      runWith({ ...known, 'dry-run': 'true', 'configure-runner': 'false' }, { reach }),
    );
    expect(report).toMatchObject({ registry: '127.0.0.1:5000', instanceIp: null });
  });
});

describe('health check', () => {
  test('goes on as far as it gets, and what failed is a row', async () => {
    const report = await healthCheck(runWith({ mode: 'health-check', 'ssh-host-key': 'unverified' }));
    expect(report.health?.state).toBe('unhealthy');
    expect(report.health?.checks.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'Credentials healthy',
      'Instance healthy',
      'SSH unhealthy',
      'Firewall healthy',
    ]);
    expect(compute.calls).toEqual(['metadata ssh-keys']);
  });

  test('without credentials there is one row', async () => {
    const reach = { ...runWith({}).reach, google: () => Promise.reject(new Error('No Google credentials')) };
    const report = await healthCheck(runWith({ mode: 'health-check' }, { reach }));
    expect(report.health?.checks).toEqual([
      { name: 'Credentials', state: 'unhealthy', finding: 'No Google credentials' },
    ]);
  });

  test('a tag that is only lent is drift', async () => {
    const items = ['web-1-registry', 'web-1-registry-lent'];
    compute.vm = { ...VM, tags: { items, fingerprint: 'f' } };
    const report = await healthCheck(runWith({ mode: 'health-check', 'ssh-host-key': 'unverified' }));
    expect(report.health?.checks.at(-1)).toMatchObject({
      name: 'Firewall',
      state: 'degraded',
      finding: expect.stringContaining('network tag web-1-registry'),
    });
  });
});
