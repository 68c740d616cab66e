import { asPlanned, converge, survey } from '../../../src/converge/converge';
import type { Log } from '../../../src/job/log';
import { buildkitdConfig } from '../../../src/runner/instructions';
import { type RestorePoint, restoreRunner } from '../../../src/runner/restore';
import { runnerTarget } from '../../../src/runner/runner';
import { encode64, Machine } from './machine';

const entry = '203.0.113.20:5000';
let machine: Machine;
let warnings: string[];
let masked: string[];
let points: Map<string, RestorePoint>;

beforeEach(() => {
  machine = new Machine();
  warnings = [];
  masked = [];
  points = new Map();
});

const log = {
  info() {},
  warning: (text: string) => void warnings.push(text),
  mask: (text: string) => void masked.push(text),
} as Partial<Log> as Log;
const tools = () => ({ host: machine, log, sleep: async () => {}, now: () => 1000 });

async function run(
  id = 'run',
  options: {
    restore?: boolean;
    restart?: boolean;
    https?: boolean;
    authority?: boolean;
    host?: string;
    dryRun?: boolean;
  } = {},
) {
  const { restore = true, restart = false, https = false, authority = false } = options;
  const { host = '203.0.113.20', dryRun = false } = options;
  const registry = { host, port: 5000 };
  const onRestorePoint = (point: RestorePoint) => void points.set(id, JSON.parse(JSON.stringify(point)));
  const tls = { speaksHttps: async () => https, authority };
  const target = runnerTarget(
    { registry, runId: id, restore, restart, claimMs: 1000, tls, onRestorePoint },
    tools(),
  );
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
    expect(machine.record).toBeNull();
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
  expect([machine.file, machine.record, points.size]).toEqual([null, null, 0]);
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
  expect([points.size, machine.record]).toEqual([0, null]);
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
  expect(changes[0]?.to).toBe('there until this run ends, too');
  await run('3', { host: '203.0.113.21' });
  await restore('1');
  expect([...machine.loaded].sort()).toEqual([entry, '203.0.113.21:5000']);
  await restore('3');
  expect(machine.loaded).toEqual([entry]);
  await restore('2');
  expect([machine.file?.toString(), machine.record, machine.loaded]).toEqual(['{ }', null, []]);
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
  machine.record = null;
  await restore();
  expect(machine.file?.toString()).toBe('{ "debug": true }');
});

test("the owner's file, which can name a password, is masked before it is kept in the action's state", async () => {
  machine.file = Buffer.from('{ "proxies": { "http-proxy": "http://me:secret@proxy:3128" } }');
  const file = machine.file.toString('base64');
  await run();
  expect(points.get('run')?.original).toBe(file);
  expect(masked).toEqual([file]);
});

describe('a daemon that a reload does not help', () => {
  beforeEach(() => {
    machine.reloadWorks = false;
    machine.file = Buffer.from('{ }');
  });

  test('is restarted where nothing runs, and the log says so', async () => {
    await run();
    expect(machine.restarts).toBe(1);
    expect(warnings).toEqual([expect.stringContaining('it is restarted (running containers that stop: 0)')]);
  });

  test.each([
    { ContainersRunning: 3 },
    { ContainersPaused: 1 },
    { ContainersRunning: 1, LiveRestoreEnabled: true },
  ])('is not restarted with %j, but where that is asked for', async (info) => {
    machine.info = info;
    await expect(run()).rejects.toMatchObject({ title: 'Runner daemon needs a restart' });
    expect(machine.restarts).toBe(0);
    await run('run', { restart: true });
    expect(machine.restarts).toBe(1);
    await restore();
    expect(machine.file?.toString()).toBe('{ }');
  });

  test.each([
    [11, 'this version of dockerd cannot tell'],
    [12, 'no service of systemd runs it'],
    [13, 'with another command than the one that runs now'],
  ])('is not restarted when it may not come back (%i)', async (status, text) => {
    machine.restartStatus = status;
    await expect(run()).rejects.toThrow(text);
    expect(machine.starts).toEqual([]);
  });

  test.each([
    [0, 'its file was put back as it was, and the daemon was started again'],
    [1, 'does not start with its file as it was, either'],
  ])('that does not come back gets its file back, and is started (%i)', async (status, text) => {
    Object.assign(machine, { restartStatus: 14, startStatus: status });
    await expect(run()).rejects.toThrow(text);
    expect([machine.file?.toString(), machine.record, machine.starts]).toEqual([
      '{ }',
      null,
      ['docker.service'],
    ]);
    await restore();
    expect(machine.file?.toString()).toBe('{ }');
  });

  test('is left alone when it does not answer any more', async () => {
    const swap = machine.exec;
    machine.exec = async (...call) => {
      if (call[1].includes('swap')) machine.infoHangs = true;
      return swap(...call);
    };
    await expect(run()).rejects.toThrow('was not restarted (no answer to `docker info` for 10 s)');
    expect(machine.restarts).toBe(0);
  });
});

describe('a version that forgets others’ registries when it reloads a file with mirrors', () => {
  beforeEach(() => {
    machine.info = { ServerVersion: '20.10.24+dfsg1', ContainersRunning: 1 };
    machine.file = Buffer.from('{"registry-mirrors":["https://m.example"]}');
  });

  test('is not reloaded, and needs a restart: that is said before anything is changed', async () => {
    await expect(run()).rejects.toMatchObject({ title: 'Runner daemon needs a restart' });
    expect([machine.reloads, machine.record]).toEqual([0, null]);
  });

  test('is restarted where that is asked for, and keeps the entry until its next start', async () => {
    await run('run', { restart: true });
    expect([machine.reloads, machine.restarts]).toEqual([0, 1]);
    await restore();
    expect([machine.reloads, machine.file?.toString()]).toEqual([
      0,
      '{"registry-mirrors":["https://m.example"]}',
    ]);
    expect(warnings.at(-1)).toContain('would forget the insecure registries of others');
  });
});

test.each([
  ['29.9.1', [entry], []],
  ['29.10.0', ['::1/128', '127.0.0.0/8', entry], ['::1/128', '127.0.0.0/8']],
])('Docker %s keeps its registries on localhost', async (ServerVersion, during, after) => {
  machine.info = { ServerVersion };
  machine.file = Buffer.from('{ }');
  await run();
  expect(machine.loaded).toEqual(during);
  await restore();
  expect([machine.loaded, machine.file?.toString()]).toEqual([after, '{ }']);
});

describe('the file is put back when the daemon', () => {
  beforeEach(() => {
    machine.file = Buffer.from('{ }');
  });

  test('is dead', async () => {
    await run();
    machine.texts.delete('/proc/9/stat');
    machine.texts.delete('/proc/9/comm');
    machine.infoFails = 'Cannot connect';
    await restore();
    expect([machine.file?.toString(), machine.record]).toEqual(['{ }', null]);
    expect(warnings).toEqual([]);
  });

  test('hangs', async () => {
    await run();
    machine.infoHangs = true;
    await restore();
    expect([machine.file?.toString(), machine.record]).toEqual(['{ }', null]);
    expect(warnings).toEqual([expect.stringContaining('does not answer')]);
  });

  test('is another process by now', async () => {
    await run();
    machine.texts.delete('/proc/9/stat');
    machine.listeners = [`10 99 ${encode64('dockerd\0-H\0fd://')} dockerd`];
    await restore();
    expect(machine.file?.toString()).toBe('{ }');
    expect(machine.loaded).toEqual([]);
    expect(
      machine.commands.filter((command) => command.includes('swap /etc/docker/daemon.json 10 99')),
    ).not.toEqual([]);
  });

  test('is gone, and another one with another file has its socket', async () => {
    await run();
    machine.texts.delete('/proc/9/stat');
    machine.listeners = [`10 99 ${encode64('dockerd\0--config-file=/x')} dockerd`];
    const reloads = machine.reloads;
    await restore();
    expect([machine.file?.toString(), machine.reloads]).toEqual(['{ }', reloads]);
  });

  test('cannot be told', async () => {
    await run();
    Object.assign(machine, { tellable: false, reloadWorks: false });
    await restore();
    expect(machine.file?.toString()).toBe('{ }');
    expect(warnings).toEqual([expect.stringContaining('it forgets it at its next start')]);
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
    'reaches it at ssh://h, so',
  ],
  [
    'a container job',
    (m) => {
      m.texts.delete('/proc/9/comm');
    },
    'Runner daemon out of reach',
    'in a container of its own',
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
      m.listeners = [`9 22 ${encode64('dockerd\0--insecure-registry=a')} dockerd`];
    },
    'Runner daemon has a conflicting flag',
    `--insecure-registry=${entry}`,
  ],
  [
    'hosts in the file beside -H',
    (m) => {
      m.file = Buffer.from('{"hosts":["fd://"]}');
    },
    'Runner daemon refuses its file',
    'would not start again',
  ],
  [
    'a file that dockerd refuses',
    (m) => {
      m.findings = ['invalid unable to configure the Docker daemon with file x: labels'];
    },
    'Runner daemon refuses its file',
    'with file x: labels',
  ],
  [
    'a file that root cannot write',
    (m) => {
      m.findings = ['obstacle Read-only file system'];
    },
    'Runner daemon out of reach',
    'root cannot write the file (Read-only file system)',
  ],
  [
    'a daemon that sees another file',
    (m) => {
      m.findings = ['elsewhere'];
    },
    'Runner daemon out of reach',
    'in a container of its own',
  ],
  [
    'two daemons at one socket',
    (m) => {
      m.listeners.push(`12 3 ${encode64('dockerd')} dockerd`);
    },
    'Runner daemon out of reach',
    'not sure which one',
  ],
  [
    'a forwarder of the socket',
    (m) => {
      m.listeners = ['12 3 eA== socat'];
    },
    'Runner daemon out of reach',
    'listens no dockerd but socat',
  ],
  [
    'Colima',
    (m) => {
      Object.assign(m, { platform: 'darwin', endpoint: 'unix:///Users/u/.colima/default/docker.sock' });
    },
    'Runner daemon out of reach',
    'colima start --edit',
  ],
  [
    'OrbStack',
    (m) => {
      Object.assign(m, { platform: 'darwin', endpoint: 'unix:///Users/u/.orbstack/run/docker.sock' });
    },
    'Runner daemon out of reach',
    '~/.orbstack/config/docker.json',
  ],
  [
    'Rancher Desktop',
    (m) => {
      Object.assign(m, { platform: 'darwin', endpoint: 'unix:///Users/u/.rd/docker.sock' });
    },
    'Runner daemon out of reach',
    'rdctl shell',
  ],
  [
    'a socket of Podman',
    (m) => {
      m.endpoint = 'unix:///run/podman/podman.sock';
    },
    'Runner daemon out of reach',
    'registries.conf',
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
  machine.endpoint = 'unix:///run/second.sock';
  machine.listeners = [`9 22 ${encode64('dockerd\0--config-file\0/opt/d.json\0')} dockerd`];
  await run();
  expect(machine.commands).toContain('daemon-file.sh find /run/second.sock');
  expect(machine.commands).toContain('daemon-file.sh read /opt/d.json 9 judge');
  expect(points.get('run')?.configFile).toBe('/opt/d.json');
});

test('with an authority of its own nothing of daemon.json is changed, and builders are told of the authority', async () => {
  machine.folders.set('/home/u/.docker/buildx/instances', ['builder']);
  machine.texts.set(
    '/home/u/.docker/buildx/instances/builder',
    '{"Name":"builder","Driver":"docker-container"}',
  );
  const { changes, notes } = await run('run', { https: true, authority: true });
  expect(changes).toEqual([]);
  expect(machine.file).toBeNull();
  expect(notes).toEqual([expect.stringContaining(buildkitdConfig(entry, 'https', { file: null }))]);
});

test('what a dead run left of the time without TLS goes when TLS comes, and what a living one needs stays', async () => {
  machine.file = Buffer.from('{ }');
  await run('before');
  expect((await run('next', { https: true })).notes).toEqual([expect.stringContaining('does not look')]);
  expect(machine.loaded).toEqual([entry]);
  machine.texts.delete('/proc/77/stat');
  machine.parentPid = 1;
  await run('next', { https: true });
  expect([machine.file?.toString(), machine.record, machine.loaded]).toEqual(['{ }', null, []]);
  expect((await run('next', { https: true })).changes).toEqual([]);
});

test('an entry by which the daemon does not look at certificates is named, and stays', async () => {
  machine.file = Buffer.from(JSON.stringify({ 'insecure-registries': [entry] }));
  machine.load();
  const { changes, notes } = await run('run', { https: true });
  expect(changes).toEqual([]);
  expect(notes).toEqual([expect.stringContaining(`does not look at the certificate of ${entry}`)]);
  expect(String(machine.file)).toContain(entry);
});

test('a daemon that reads no files of this machine cannot be told of an authority', async () => {
  machine.listeners = [];
  await expect(run('run', { https: true, authority: true })).rejects.toThrow(
    /^Runner daemon out of reach: .*Put the CA of the registry .*certs\.d/,
  );
  expect((await run('run', { https: true })).changes).toEqual([]);
});

test('a job with builders that do not read daemon.json gets their configuration', async () => {
  machine.folders.set('/home/u/.docker/buildx/instances', ['builder', 'plain', '../x']);
  machine.texts.set(
    '/home/u/.docker/buildx/instances/builder',
    '{"Name":"builder","Driver":"docker-container"}',
  );
  machine.texts.set('/home/u/.docker/buildx/instances/plain', '{"Driver":"docker"}');
  const { notes } = await run();
  expect(notes).toEqual([expect.stringContaining(buildkitdConfig(entry, 'http', null))]);
  expect(notes[0]).toContain('The buildx builder builder will not');
});

test.each<[string, () => void, string]>([
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
