import { resolve } from 'node:path';
import fc from 'fast-check';
import { readSettings } from '../../../src/settings/read';
import { NAMES } from '../../../src/settings/table';
import { ActionError } from '../../../src/values/errors';

const required = { zone: 'europe-west1-b', instance: 'web-1', image: 'hello-world' };

function read(values: Record<string, string>) {
  const all: Record<string, string> = { ...required, ...values };
  return readSettings((name) => all[name]?.trim() ?? '', undefined);
}

function refusal(values: Record<string, string>): string {
  try {
    read(values);
  } catch (error) {
    if (error instanceof ActionError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

test('the defaults, with the required inputs, are the documented ones', () => {
  expect(read({})).toEqual({
    mode: 'deploy',
    dryRun: false,
    repair: false,
    deleteData: false,
    credentials: { kind: 'adc' },
    vm: { project: null, zone: 'europe-west1-b', instance: 'web-1' },
    route: 'direct',
    firewall: { rule: 'web-1-registry', targetTag: 'web-1-registry', runner: true, ranges: null },
    ssh: { user: 'registry-action', port: 22, privateKey: null, hostKey: { kind: 'guest-attributes' } },
    registry: {
      host: null,
      port: 5000,
      uiPort: 18080,
      loopback: false,
      title: 'web-1 registry',
      image: 'registry:3',
      frontImage: 'caddy:2.11.9',
      ui: 'joxit',
      uiImage: 'joxit/docker-registry-ui:2.6.0',
      dataPath: null,
      tls: { kind: 'none' },
      access: { login: null, logins: [], sole: { writers: false, readers: false }, anonymousPull: false },
    },
    docker: {
      source: 'docker',
      repository: 'https://download.docker.com/linux',
      mirrors: [],
      compose: { version: 'v2.40.3', sha256: null },
    },
    push: { image: { path: 'hello-world' }, targets: [{ path: 'hello-world', tag: 'latest' }], verify: true },
    restore: null,
    backup: { to: 'snapshot', path: resolve('registry-backup'), repositories: [] },
    runner: { configure: true, restore: true, restart: false },
    retention: { rules: [], inUse: [], windowSeconds: 600 },
    snapshots: { schedule: null, keepDays: 14, before: false, restore: null },
    summary: true,
    warnings: [],
  });
});

test.each([
  ['mode', 'destroy'],
  ['dry-run', 'yes'],
  ['repair', 'on'],
  ['delete-data', '1'],
  ['snapshot-schedule', 'daily'],
  ['snapshot-schedule', 'daily 04:30'],
  ['snapshot-schedule', 'daily 24:00'],
  ['snapshot-schedule', 'weekly 04:00'],
  ['snapshot-schedule', 'weekly holiday 04:00'],
  ['snapshot-schedule', 'hourly 4'],
  ['snapshot-schedule', 'Daily 04:00'],
  ['snapshot-keep-days', '0'],
  ['snapshot-keep-days', '65536'],
  ['snapshot-keep-days', '14d'],
  ['snapshot-before', 'update'],
  ['backup-to', 'tape'],
  ['data-disk-snapshot', 'Latest'],
  ['data-disk-snapshot', 'latest'],
  ['keep-newest', '-1'],
  ['keep-newest', 'ten'],
  ['keep-within', '30'],
  ['keep-within', '1y'],
  ['keep-tags', '>=one'],
  ['repositories', 'team/*'],
  ['repositories', 'team/* keep-newest=ten'],
  ['repositories', 'team/* keep-within=30'],
  ['repositories', 'team/* keep-forever=1'],
  ['repositories', 'team/$(x) keep-newest=1'],
  ['in-use', 'app:1'],
  ['in-use', 'sha256:abc'],
  ['gc-window', '10 minutes'],
  ['backup-to', 'bucket'],
  ['backup-path', '../elsewhere'],
  ['backup-path', 'a\u0007b'],
  ['backup-repositories', 'team/$(x)'],
  ['backup-repositories', 'Team/*'],
  ['restore-from', '../elsewhere'],
  ['restore-from', 'registry-backup'],
  ['restore-repository', 'Team/app'],
  ['restore-overwrite', 'yes'],
  ['project-id', 'My Project'],
  ['zone', ''],
  ['instance', 'Web_1'],
  ['instance', '-web'],
  ['instance', 'a'.repeat(64)],
  ['firewall-rule', 'rule;rm'],
  ['source-ranges', ' , '],
  ['ssh-user', '-oProxyCommand=x'],
  ['ssh-user', 'a b'],
  ['ssh-private-key', 'AAAA'],
  ['ssh-host-key', 'unverified\nSHA256:abc'],
  ['ssh-port', '0'],
  ['registry-port', '65536'],
  ['registry-port', '5e3'],
  ['registry-port', '22'],
  ['front-image', 'Caddy:2'],
  ['registry-host', 'https://registry.example.com'],
  ['registry-host', 'registry.example.com:5000'],
  ['registry-name', 'two\nlines'],
  ['registry-name', 'bell\u0007'],
  ['registry-image', 'Registry:3'],
  ['ui', 'hyper'],
  ['docker-source', 'snap'],
  ['docker-repository', 'http://download.example.com'],
  ['docker-repository', 'https://user:secret@download.example.com'],
  ['docker-repository', "https://example.com/'$(id)"],
  ['registry-mirrors', 'ftp://mirror.example.com'],
  ['registry-mirrors', 'https:mirror.example.com'],
  ['docker-repository', 'https://{env.PATH}/linux'],
  ['acme-directory', 'https://}//ca.example.com/directory'],
  ['compose-version', 'latest'],
  ['compose-sha256', 'abc'],
  ['data-path', 'relative/path'],
  ['data-path', '/'],
  ['data-path', '/mnt/../etc'],
  ['data-path', '/etc/registry'],
  ['data-path', '/var/lib/docker'],
  ['data-path', '/mnt/a b'],
  ['image', ''],
  ['tags', 'Upper'],
  ['tags', 'ghcr.io/acme/app'],
  ['verify', '1'],
])('%s refuses %j', (name, value) => {
  expect(refusal({ [name]: value })).toContain(name);
});

test.each([
  ['{"type":"service_account"}', { type: 'service_account' }],
  [Buffer.from('{"type":"external_account"}').toString('base64'), { type: 'external_account' }],
])('credentials-json takes %s', (text, json) => {
  expect(read({ 'credentials-json': text }).credentials).toEqual({ kind: 'json', json });
});

test.each([
  { 'credentials-json': '{"private_key":"hunter2"' },
  { 'credentials-json': '["hunter2"]' },
  { 'access-token': 'hunter2', 'credentials-json': '{}' },
  { 'access-token': 'two\nhunter2' },
  { 'ssh-private-key': 'hunter2' },
])('a refused secret is not shown: %j', (values) => {
  expect(refusal(values)).not.toContain('hunter2');
});

test('lists are split at commas and newlines, and every item counts once', () => {
  const { firewall, push } = read({
    'source-ranges': 'runner\n10.0.0.0/8,192.0.2.7 ,\n10.0.0.0/8',
    tags: 'test:1, test:2\ntest:1',
  });
  expect(firewall).toMatchObject({ runner: true, ranges: ['10.0.0.0/8', '192.0.2.7/32'] });
  expect(push?.targets).toEqual([
    { path: 'test', tag: '1' },
    { path: 'test', tag: '2' },
  ]);
});

test('bootstrap and health-check need no image', () => {
  for (const mode of ['bootstrap', 'health-check']) expect(read({ mode, image: '' }).push).toBeNull();
});

test('the port of the UI is free where there is no UI', () => {
  expect(read({ ui: 'none', 'ui-port': '5000' }).registry.uiImage).toBeNull();
  expect(read({ 'ui-port': '5000' }).registry).toMatchObject({ port: 5000, uiPort: 5000 });
});

test('whatever any input holds, it is taken or refused with a message that is safe to print', () => {
  const names = fc.constantFrom(...NAMES.filter((name) => name !== 'config'));
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '::set-output name=x::y',
      '##[error]x',
      '$(id)',
      '`id`',
      '\u202e',
      '-rf',
      'a\u0000b',
      'x'.repeat(100_000),
    ),
  );
  fc.assert(
    fc.property(names, hostile, (name, value) => {
      try {
        read({ [name]: value });
      } catch (error) {
        expect(error).toBeInstanceOf(ActionError);
        const { message } = error as ActionError;
        expect(message.length).toBeLessThan(1000);
        expect(message).not.toContain('##[');
        expect(message).not.toMatch(/[^\x20-\x7e…’]/);
      }
    }),
    { numRuns: 2000 },
  );
});

describe('route: ssh', () => {
  test('without CIDRs nobody else is admitted, and nothing but the loopback is needed', () => {
    const { firewall, registry } = read({ route: 'ssh' });
    expect(firewall).toMatchObject({ runner: false, ranges: [] });
    expect(registry.loopback).toBe(true);
  });

  test('with CIDRs others come as ever', () => {
    const { firewall, registry } = read({ route: 'ssh', 'source-ranges': '192.0.2.0/24' });
    expect(firewall).toMatchObject({ runner: false, ranges: ['192.0.2.0/24'] });
    expect(registry.loopback).toBe(false);
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['through SSH alone', { route: 'ssh' }, true],
    ['where others come in clear', { route: 'ssh', 'source-ranges': '192.0.2.0/24' }, false],
    [
      'where others come with TLS',
      { route: 'ssh', 'source-ranges': '192.0.2.0/24', tls: 'private-ca' },
      true,
    ],
    ['in clear', {}, false],
  ])('a login %s', (_, values, isTaken) => {
    const given = { ...values, username: 'ci', password: 'x' };
    if (isTaken) expect(read(given).registry.access.login?.username).toBe('ci');
    else expect(refusal(given)).toMatch(/there is a login, and `tls` is none.*`route: ssh` without CIDRs/);
  });

  test.each(['runner', 'runner, 192.0.2.0/24'])('source-ranges %s contradicts it', (ranges) => {
    expect(refusal({ route: 'ssh', 'source-ranges': ranges })).toMatch(
      /names `runner`, who comes through SSH/,
    );
  });
});

test('a backup is a snapshot, unless it is said that it is a layout', () => {
  expect(read({ mode: 'backup' }).backup.to).toBe('snapshot');
  expect(read({ mode: 'backup', 'backup-to': 'oci-layout' }).backup).toMatchObject({
    to: 'oci-layout',
    repositories: [],
  });
});

test('what is restored goes in place of an image, in the modes that push', () => {
  const restore = { 'restore-from': 'copies/today', image: '' };
  expect(read(restore)).toMatchObject({
    push: null,
    restore: { from: resolve('copies/today'), fallback: null, overwrite: false },
  });
  expect(readSettings((name) => ({ ...required, ...restore })[name] ?? '', '/w').restore?.from).toBe(
    '/w/copies/today',
  );
  expect(read({ ...restore, mode: 'connect' }).restore).toBeNull();
  expect(refusal({ ...restore, mode: 'bootstrap' })).toContain('Use `mode: deploy`');
  expect(refusal({ ...restore, image: 'app' })).toContain('goes in place of `image`');
  expect(refusal({ ...restore, 'restore-repository': 'ghcr.io/app' })).toContain('names a registry');
});

test.each([
  ['team/app', { repository: 'team/app', tag: null }],
  ['team/app:1.0', { repository: 'team/app', tag: '1.0' }],
])('restore-repository: %s', (text, fallback) => {
  const values = { 'restore-from': 'x', image: '', 'restore-repository': text };
  expect(read(values).restore?.fallback).toEqual(fallback);
});
