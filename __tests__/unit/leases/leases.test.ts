import fc from 'fast-check';
import type { ExecOptions } from '../../../src/job/exec';
import { noteDaemonJson } from '../../../src/leases/daemon-json';
import { takeKey } from '../../../src/leases/key';
import { isLease } from '../../../src/leases/lease';
import { noteLocalTag } from '../../../src/leases/local-tag';
import { takeOpening } from '../../../src/leases/opening';
import { type ReleaseTools, releaseAll } from '../../../src/leases/release';
import { takeTargetTag } from '../../../src/leases/target-tag';
import type { RegistryApi } from '../../../src/registry/api';
import { CANARY_REPOSITORY } from '../../../src/registry/canary';
import { VM } from '../firewall/fixtures';
import { fakeLog } from '../google/fakes';
import { DOCKER, FakeCompute, FakeState, HINT, NOW, termsOf } from './example';

const TAG = 'web-1-registry';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const BEFORE = `sha256:${'b'.repeat(64)}`;

let compute: FakeCompute;
let state: FakeState;
let log: ReturnType<typeof fakeLog>;
let commands: string[];
let deleted: string[];
let variables: Record<string, string>;
let tools: ReleaseTools;

beforeEach(() => {
  compute = new FakeCompute();
  state = new FakeState();
  log = fakeLog();
  commands = [];
  deleted = [];
  variables = {};
  tools = {
    log,
    sleep: async () => undefined,
    variables: {
      get: (name) => variables[name],
      set: (name, value) => Object.assign(variables, { [name]: value }),
    },
    atGoogle: (_place, work) => work(compute),
    hostAt: ({ environment }) => ({
      platform: 'linux',
      isRoot: true,
      parentPid: 1,
      dockerConfig: environment.DOCKER_CONFIG ?? '',
      read: async () => null,
      list: async () => [],
      exec: async (command: string, args: readonly string[], _options: ExecOptions) => {
        commands.push([command, ...args].join(' '));
        const stdout = JSON.stringify([{ Id: DIGEST, RootFS: { Layers: [] } }]);
        return { status: 0, signal: null, stdout, stderr: '' };
      },
    }),
    openRegistry: ({ scheme, host, port }) =>
      ({
        deleteManifest: async (repository: string, digest: string) => {
          deleted.push(`${scheme}://${host}:${port}/${repository}@${digest}`);
          return true;
        },
        close: () => undefined,
      }) as Partial<RegistryApi> as RegistryApi,
  };
});

const wish = (changes = {}) => ({
  vm: compute.vm,
  address: '198.51.100.7',
  targetTag: TAG,
  ports: [5000],
  identity: { runId: '1', attempt: '1', unique: 'x' },
  url: null,
  ...changes,
});
const release = () => releaseAll(state.records, tools);

describe('key', () => {
  test('is noted before Google is asked, and is the same entry in the end', async () => {
    const before = 'ann:ssh-ed25519 AAAA ann@home\n';
    compute.vm = { ...VM, metadata: { items: [{ key: 'ssh-keys', value: before }], fingerprint: 'f' } };
    const { admitted, privateKey } = takeKey({ compute, vm: compute.vm, user: 'ci' }, termsOf(state), log);
    expect(state.history).toHaveLength(1);
    expect(JSON.parse(state.history[0] ?? '')).toMatchObject([{ kind: 'key', settled: false }]);
    await admitted;
    expect(state.records).toMatchObject([
      { project: 'service', zone: 'europe-west1-b', instance: 'web-1', settled: true },
    ]);
    expect(compute.sshKeys).toContain('"expireOn":"2026-01-01T07:00:00+0000"');
    expect(state.history.join()).not.toContain(privateKey.slice(60, 120));
    expect(log.masked).toContain(privateKey);
    expect(await release()).toEqual([]);
    expect(compute.sshKeys).toBe(before);
  });

  test('that Google refused leaves nothing to do', async () => {
    compute.failing = { editMetadata: new Error('403') };
    await expect(takeKey({ compute, vm: VM, user: 'ci' }, termsOf(state), log).admitted).rejects.toThrow(
      '403',
    );
    compute.failing = {};
    expect(await release()).toEqual([]);
    expect(compute.calls).toEqual([]);
  });

  test('whose call was cut off is looked for until it appears', async () => {
    await takeKey({ compute, vm: VM, user: 'ci' }, termsOf(state), log).admitted;
    const value = compute.sshKeys ?? '';
    compute.vm = VM;
    let looks = 0;
    const sleep = async () => {
      looks += 1;
      if (looks === 3)
        compute.vm = { ...VM, metadata: { items: [{ key: 'ssh-keys', value }], fingerprint: 'f' } };
    };
    const unsettled = state.records.map((record) => ({ ...record, settled: false }));
    expect(await releaseAll(unsettled, { ...tools, sleep })).toEqual([]);
    expect([looks, compute.sshKeys]).toEqual([3, null]);
  });
});

describe('opening', () => {
  test('is noted, made in the project of the network, and closed', async () => {
    const opening = await takeOpening(wish(), compute, termsOf(state), log);
    expect(state.records).toMatchObject([
      { kind: 'opening', networkProject: 'host', name: opening?.name, settled: true },
    ]);
    expect(compute.rules[0]?.description).toContain('expires=2026-01-01T07:00:00.000Z');
    expect(await release()).toEqual([]);
    expect(compute.calls).toEqual([`insert host/${opening?.name}`, `delete host/${opening?.name}`]);
  });

  test('is not made for what is no address', async () => {
    expect(await takeOpening(wish({ address: '0.0.0.0/0' }), compute, termsOf(state), log)).toBeNull();
    expect([state.history, compute.calls]).toEqual([[], []]);
  });
});

describe('tag of a health check', () => {
  beforeEach(() => {
    compute.vm = { ...VM, tags: { items: ['http'], fingerprint: 'f' } };
    // Openings are judged by the time of now.
    jest.useFakeTimers({ now: NOW });
  });
  afterEach(() => jest.useRealTimers());

  async function check(unique: string, own = new FakeState()) {
    const terms = termsOf(own);
    const opening = await takeOpening(
      wish({ identity: { runId: '1', attempt: '1', unique } }),
      compute,
      terms,
      log,
    );
    await takeTargetTag({ vm: compute.vm, tag: TAG, opening: opening?.name ?? '' }, compute, terms, log);
    return () => releaseAll(own.records, tools);
  }

  test('is lent, and goes with its opening', async () => {
    const end = await check('a');
    expect(compute.vm.tags.items).toEqual(['http', TAG, `${TAG}-lent`]);
    expect(await end()).toEqual([]);
    expect(compute.vm.tags.items).toEqual(['http']);
    expect(compute.rules).toEqual([]);
  });

  test('stays until the last of several checks has ended', async () => {
    const [first, second] = [await check('a'), await check('b')];
    await first();
    expect(compute.vm.tags.items).toContain(TAG);
    await second();
    expect(compute.vm.tags.items).toEqual(['http']);
  });

  test('stays where a run set the instance up meanwhile, also in the last moment', async () => {
    const end = await check('a');
    compute.meanwhile = () => {
      compute.vm = { ...compute.vm, tags: { items: ['http', TAG], fingerprint: 'g' } };
    };
    await end();
    expect(compute.vm.tags.items).toEqual(['http', TAG]);
  });
});

test('a daemon.json entry is one record, of the last version', () => {
  const note = noteDaemonJson(termsOf(state));
  const point = {
    id: 'run',
    registry: { host: '203.0.113.9', port: 5000 },
    configFile: '/etc/docker/daemon.json',
    daemon: { pid: 1, started: '100' },
    socket: '/run/docker.sock',
    serverVersion: '29.0.0',
    original: null,
    written: 'x',
    madeDirectory: false,
    implicit: [],
  };
  note(point);
  note({ ...point, written: 'y' });
  expect(state.records).toMatchObject([{ kind: 'daemon-json', point: { written: 'y' }, docker: DOCKER }]);
  expect(state.records.every(isLease)).toBe(true);
});

test.each([
  ['that was new is removed', null, [`image rm --no-prune -- r/app:1`]],
  [
    'that was there leads where it led',
    BEFORE,
    [`image rm --no-prune -- r/app:1`, `image tag -- ${BEFORE} r/app:1`],
  ],
])('a local tag %s', async (_, before, expected) => {
  const note = noteLocalTag(termsOf(state));
  note({ reference: 'r/app:1', image: DIGEST, before });
  expect(await release()).toEqual([]);
  expect(commands.slice(1)).toEqual(expected.map((command) => `docker ${command}`));
  note(null);
  expect(state.records).toEqual([]);
});

test('the canary of a check that died is removed before the opening is closed', async () => {
  await takeOpening(wish(), compute, termsOf(state), log);
  const canary = {
    kind: 'canary',
    scheme: 'https',
    host: '203.0.113.9',
    port: 5000,
    serverName: null,
    ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    digest: DIGEST,
    expires: new Date(NOW).toISOString(),
  };
  expect(await releaseAll([...state.records, canary], tools)).toEqual([]);
  expect(deleted).toEqual([`https://203.0.113.9:5000/${CANARY_REPOSITORY}@${DIGEST}`]);
});

describe('what cannot be released', () => {
  test('is named, with the command for each and the time when it is swept, and once for one cause', async () => {
    await takeKey({ compute, vm: VM, user: 'ci' }, termsOf(state), log).admitted;
    const own = state.records;
    await takeOpening(wish(), compute, termsOf(state), log);
    const atGoogle = () => Promise.reject(new Error('No Google credentials: …'));
    const messages = await releaseAll([...own, ...state.records], { ...tools, atGoogle });
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(
      /^No Google credentials: … Left behind: an SSH key of ci in .*--metadata-from-file ssh-keys=FILE/,
    );
    expect(messages[0]).toMatch(
      /gcloud compute firewall-rules delete web-1-registry-run-[0-9a-f]{12} --project host/,
    );
    expect(messages[0]).toMatch(
      /A run of this instance after 2026-01-01T07:00:00.000Z removes it as well\.$/,
    );
  });

  test('keeps nothing else from being released', async () => {
    await takeOpening(wish(), compute, termsOf(state), log);
    const tag = new FakeState();
    noteLocalTag(termsOf(tag))({ reference: 'r/app:1', image: DIGEST, before: null });
    compute.failing = { deleteFirewallRule: new Error('500') };
    const messages = await releaseAll([...state.records, ...tag.records], tools);
    expect(messages).toEqual([expect.stringContaining('500 Left behind: the firewall rule')]);
    expect(commands).toHaveLength(2);
  });
});

describe('whatever is in the state', () => {
  const valid = {
    kind: 'opening',
    project: 'service',
    zone: 'europe-west1-b',
    instance: 'web-1',
    credentials: HINT,
    networkProject: 'host',
    name: 'web-1-registry-run-0123456789ab',
    settled: true,
    expires: '2026-01-01T00:00:00.000Z',
  };

  test.each([
    ['another rule', { name: 'allow-office' }],
    ['a rule of another form', { name: 'web-1-registry-run-0123456789ab/../x' }],
    ['no project', { networkProject: '' }],
    ['a zone that is none', { zone: '../x' }],
    ['no expiry', { expires: 'never' }],
    ['another kind', { kind: 'disk' }],
    ['credentials that are none', { credentials: { kind: 'adc' } }],
  ])('%s is not touched', async (_, changes) => {
    compute.rules = [{ ...valid, ...changes }].map(({ name }) => ({ name, description: '' }) as never);
    const messages = await releaseAll([{ ...valid, ...changes }], tools);
    expect(messages).toEqual([expect.stringContaining('1 notes of the main step cannot be read')]);
    expect(compute.calls).toEqual([]);
  });

  test('nothing is thrown, and only what is well formed is undone', async () => {
    const odd = fc.record(
      {
        kind: fc.constantFrom('key', 'opening', 'target-tag', 'daemon-json', 'local-tag', 'canary', 'x'),
        name: fc.oneof(fc.constant(valid.name), fc.string(), fc.constant(null)),
        project: fc.oneof(fc.constant('service'), fc.string()),
        zone: fc.oneof(fc.constant('europe-west1-b'), fc.string()),
        instance: fc.oneof(fc.constant('web-1'), fc.string()),
        credentials: fc.oneof(fc.constant(HINT), fc.anything()),
        networkProject: fc.oneof(fc.constant('host'), fc.string()),
        settled: fc.oneof(fc.constant(true), fc.anything()),
        tag: fc.anything(),
        opening: fc.oneof(fc.constant(valid.name), fc.string()),
        point: fc.anything(),
        docker: fc.oneof(fc.constant(DOCKER), fc.anything()),
        entry: fc.string(),
        expires: fc.oneof(fc.constant(valid.expires), fc.string()),
      },
      { requiredKeys: ['kind'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(odd, fc.anything()), { maxLength: 5 }), async (records) => {
        compute.calls.length = 0;
        compute.rules = [{ name: valid.name }, { name: 'allow-office' }] as never;
        await releaseAll(records, tools);
        for (const call of compute.calls) expect(call).toBe(`delete host/${valid.name}`);
      }),
    );
  });
});

describe('login', () => {
  const directory = '/nowhere/gce-registry-docker-abcdef';
  const record = (previous: unknown) => ({
    kind: 'client-config',
    directory,
    previous,
    expires: '2026-01-01T07:00:00Z',
  });

  test.each<[string, string | null, string, Record<string, string>]>([
    ['gives back that there was none', null, directory, { DOCKER_CONFIG: '' }],
    ['gives back the one before', '/home/ci/other', directory, { DOCKER_CONFIG: '/home/ci/other' }],
    ['leaves what a later step named', null, '/home/ci/later', { DOCKER_CONFIG: '/home/ci/later' }],
  ])('%s', async (_, previous, now, after) => {
    variables = { DOCKER_CONFIG: now };
    expect(await releaseAll([record(previous)], tools)).toEqual([]);
    expect(variables).toEqual(after);
  });

  test.each<[string, object]>([
    ['another directory', { ...record(null), directory: '/home/ci/.docker' }],
    ['more than a line', record('a\nb')],
  ])('%s in a note is nothing to act on', async (_, odd) => {
    expect(await releaseAll([odd], tools)).toEqual([expect.stringContaining('cannot be read')]);
  });
});
