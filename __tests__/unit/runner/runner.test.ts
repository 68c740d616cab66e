import { asPlanned, converge, survey } from '../../../src/converge/converge';
import type { Log } from '../../../src/job/log';
import { buildkitdFragment } from '../../../src/runner/by-hand';
import { type RestorePoint, restoreRunner } from '../../../src/runner/restore';
import { runnerTarget } from '../../../src/runner/runner';
import { Machine } from './machine';

const entry = '203.0.113.20:5000';
let machine: Machine;
let warnings: string[];
let points: Map<string, RestorePoint>;

beforeEach(() => {
  machine = new Machine();
  warnings = [];
  points = new Map();
});

const log = { info() {}, warning: (text: string) => void warnings.push(text) } as Partial<Log> as Log;
const tools = () => ({ host: machine, log, sleep: async () => {}, now: () => 1000 });

async function run(
  id = 'run',
  options: { restore?: boolean; https?: boolean; host?: string; dryRun?: boolean } = {},
) {
  const { restore = true, https = false, host = '203.0.113.20', dryRun = false } = options;
  const registry = { host, port: 5000 };
  const onRestorePoint = (point: RestorePoint) => void points.set(id, JSON.parse(JSON.stringify(point)));
  const speaksHttps = async () => https;
  const target = runnerTarget({ registry, runId: id, restore, speaksHttps, onRestorePoint }, tools());
  const surveyed = await survey(target, tools());
  return dryRun ? asPlanned(surveyed) : converge(surveyed);
}

const restore = (id = 'run') => restoreRunner(points.get(id) as RestorePoint, machine, tools());

test.each([null, '', '{}', '{ "debug": true,\n"insecure-registries": ["a:1"] }'])(
  'adds the registry to %j, and puts the bytes back',
  async (before) => {
    machine.file = before === null ? null : Buffer.from(before);
    machine.load();
    const loaded = machine.loaded;
    const { changes } = await run();
    expect(changes).toHaveLength(1);
    expect(machine.loaded).toContain(entry);
    expect((await run()).changes).toEqual([]);
    await restore();
    expect(machine.file?.toString() ?? null).toBe(before);
    expect(machine.ledger).toBeNull();
    expect(machine.loaded).toEqual(loaded);
    await restore();
    expect(machine.file?.toString() ?? null).toBe(before);
    expect(machine.restarts).toBe(0);
  },
);

test('a dry run changes nothing, and says what it would', async () => {
  const { changes } = await run('run', { dryRun: true });
  expect(changes).toEqual([
    {
      target: 'runner',
      what: 'insecure-registries of /etc/docker/daemon.json',
      from: null,
      to: `["${entry}"]`,
      why: `the registry ${entry} speaks plain HTTP`,
    },
  ]);
  expect([machine.file, machine.ledger, points.size]).toEqual([null, null, 0]);
});

test.each([
  ['a loopback address', { host: '127.0.0.1' }],
  ['a registry that speaks HTTPS', { https: true }],
])('%s needs nothing, whatever the permissions', async (_, options) => {
  machine.sudo = false;
  expect((await run('run', options)).changes).toEqual([]);
});

test('an entry that stays needs no restore point, and is written once', async () => {
  await run('run', { restore: false });
  expect((await run('next', { restore: false })).changes).toEqual([]);
  expect((await run('third')).changes).toEqual([]);
  expect([points.size, machine.ledger]).toEqual([0, null]);
});

test('what stands in the file and was never loaded is loaded', async () => {
  machine.file = Buffer.from(`{"insecure-registries":["${entry}"]}`);
  const { changes } = await run();
  expect(changes[0]?.what).toContain('has loaded');
  expect(machine.reloads).toBe(1);
});

test('runs that share the machine keep what each needs, and the last one puts it back', async () => {
  machine.file = Buffer.from('{ }');
  await run('1');
  const { changes } = await run('2');
  expect(changes[0]?.to).toBe('shared with another run');
  await run('3', { host: '203.0.113.21' });
  await restore('1');
  expect([...machine.loaded].sort()).toEqual([entry, '203.0.113.21:5000']);
  await restore('3');
  expect(machine.loaded).toEqual([entry]);
  await restore('2');
  expect([machine.file?.toString(), machine.ledger, machine.loaded]).toEqual(['{ }', null, []]);
});

test('a run that died is swept by the next', async () => {
  machine.file = Buffer.from('{ }');
  await run('dead');
  machine.texts.delete('/proc/77/stat');
  machine.parentPid = 1;
  await run('next', { host: '203.0.113.21' });
  expect(machine.loaded).toEqual(['203.0.113.21:5000']);
  await restore('next');
  expect(machine.file?.toString()).toBe('{ }');
});

test('somebody who writes at the same moment loses nothing', async () => {
  let times = 2;
  machine.meanwhile = () => {
    if (times-- > 0) machine.file = Buffer.from(`{"labels":["${times}"]}`);
  };
  await run();
  expect(JSON.parse(machine.file?.toString() ?? '')).toEqual({
    labels: ['0'],
    'insecure-registries': [entry],
  });
  times = 1;
  await restore();
  expect(JSON.parse(machine.file?.toString() ?? '')).toEqual({ labels: ['0'] });
});

test('after a restart of the machine the restore point alone is enough', async () => {
  machine.file = Buffer.from('{ "debug": true }');
  await run();
  machine.ledger = null;
  await restore();
  expect(machine.file?.toString()).toBe('{ "debug": true }');
});

describe('a daemon that a reload does not help', () => {
  beforeEach(() => {
    machine.reloadWorks = false;
    machine.info = { ContainersRunning: 3 };
  });

  test('is restarted, and the log says what that does', async () => {
    await run();
    expect(machine.restarts).toBe(1);
    expect(warnings).toEqual([expect.stringContaining('restarted; 3 running containers stop')]);
  });

  test('is not restarted when it would not come back', async () => {
    machine.restartStatus = 11;
    await expect(run()).rejects.toThrow(
      'it was not restarted: dockerd says that its configuration is not valid',
    );
  });
});

test.each<[string, (m: Machine) => void, string, string]>([
  [
    'macOS',
    (m) => {
      m.platform = 'darwin';
    },
    'Runner daemon out of reach',
    "the runner's system is darwin",
  ],
  [
    'Docker Desktop',
    (m) => {
      m.info = { OperatingSystem: 'Docker Desktop' };
    },
    'Runner daemon out of reach',
    'Docker Desktop',
  ],
  [
    'a rootless daemon',
    (m) => {
      m.info = { SecurityOptions: ['name=rootless'] };
    },
    'Runner daemon out of reach',
    'systemctl --user',
  ],
  [
    'Podman',
    (m) => {
      m.info = { RegistryConfig: undefined };
    },
    'Runner daemon out of reach',
    'registries.conf',
  ],
  [
    'another machine',
    (m) => {
      m.endpoint = 'ssh://u:p@h';
    },
    'Runner daemon out of reach',
    'another machine (ssh://h)',
  ],
  [
    'a container job',
    (m) => {
      m.texts.delete('/proc/9/comm');
    },
    'Runner daemon out of reach',
    'only has its socket',
  ],
  [
    'no daemon',
    (m) => {
      m.infoFails = 'Cannot connect';
    },
    'Runner daemon out of reach',
    'does not answer (Cannot connect)',
  ],
  [
    'no sudo',
    (m) => {
      m.sudo = false;
    },
    'No permission to configure the runner',
    'configure-runner: false',
  ],
  [
    'a flag',
    (m) => {
      m.texts.set('/proc/9/cmdline', 'dockerd\0--insecure-registry=a');
    },
    'Runner daemon has a conflicting flag',
    `--insecure-registry=${entry}`,
  ],
  [
    'a broken file',
    (m) => {
      m.file = Buffer.from('{\n# no\n}');
    },
    'Broken daemon.json',
    '/etc/docker/daemon.json: line 2, column 1',
  ],
])('%s: refused, with what to do', async (_, arrange, title, text) => {
  arrange(machine);
  const error = await run().catch((e) => e);
  expect(error).toMatchObject({ title });
  expect(error.message).toContain(text);
  expect(machine.reloads).toBe(0);
});

test('the file is where the daemon’s flags say, and root needs no sudo', async () => {
  machine.isRoot = true;
  machine.texts.set('/proc/9/cmdline', 'dockerd\0--config-file\0/opt/d.json\0');
  await run();
  expect(machine.commands).toContain('daemon-file.sh read /opt/d.json');
  expect(points.get('run')?.configFile).toBe('/opt/d.json');
});

test('a job with builders that do not read daemon.json gets their configuration', async () => {
  machine.folders.set('/home/u/.docker/buildx/instances', ['builder', 'plain', '../x']);
  machine.texts.set(
    '/home/u/.docker/buildx/instances/builder',
    '{"Name":"builder","Driver":"docker-container"}',
  );
  machine.texts.set('/home/u/.docker/buildx/instances/plain', '{"Driver":"docker"}');
  const { notes } = await run();
  expect(notes).toEqual([expect.stringContaining(buildkitdFragment(entry))]);
  expect(notes[0]).toContain('The buildx builder builder will not');
});

test.each<[string, () => void, string]>([
  ['the daemon is gone', () => machine.texts.delete('/proc/9/comm'), 'does not run any more'],
  [
    'sudo is gone',
    () => {
      machine.sudo = false;
    },
    'neither as root nor with sudo',
  ],
  [
    'the file is broken now',
    () => {
      machine.file = Buffer.from('{');
    },
    'somebody broke the file: line 1',
  ],
])('restore says what is left to do when %s', async (_, arrange, text) => {
  await run();
  arrange();
  const error = await restore().catch((e) => e);
  expect(error).toMatchObject({ title: 'Runner not restored' });
  expect(error.message).toContain(text);
});
