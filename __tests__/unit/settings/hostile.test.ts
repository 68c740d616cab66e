import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import fc from 'fast-check';
import { parse } from 'yaml';
import { readSettings } from '../../../src/settings/read';
import type { Settings } from '../../../src/settings/types';
import { parseHostKeys } from '../../../src/ssh/host-keys';
import { parseDuration } from '../../../src/values/duration';
import { ActionError } from '../../../src/values/errors';

import { formatReference } from '../../../src/values/reference';
import { describeSnapshotSchedule } from '../../../src/values/snapshot-schedule';
import { expectSafe, hostileText, spoilt } from '../../hostile-text';

// Whatever an input holds is refused, with a message that can be shown, or it is where it belongs, unharmed.

const manifest = parse(readFileSync('action.yml', 'utf8')) as {
  inputs: Record<string, unknown>;
};
const required = { zone: 'europe-west1-b', instance: 'web-1', image: 'hello-world' };
const KEY =
  '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA=\n-----END OPENSSH PRIVATE KEY-----';

/** A certificate with its key, as openssl makes them. */
const [TLS_KEY = '', TLS_CERTIFICATE = ''] = execFileSync(
  'openssl',
  [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'],
    ...['-subj', '/CN=x', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', '-', '-out', '-'],
  ],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
).split(/(?<=-----END PRIVATE KEY-----)\n/);

/** What an input goes with. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'restore-from': { image: '' },
  'restore-repository': { image: '', 'restore-from': 'x' },
  'restore-overwrite': { image: '', 'restore-from': 'x' },
  'tls-certificate': { tls: 'certificate', 'tls-private-key': TLS_KEY },
  'tls-private-key': { tls: 'certificate', 'tls-certificate': TLS_CERTIFICATE },
  'acme-email': { tls: 'acme' },
  'acme-directory': { tls: 'acme' },
  username: { tls: 'private-ca', password: 'x' },
  password: { tls: 'private-ca', username: 'ci' },
  users: { tls: 'private-ca' },
  readers: { tls: 'private-ca' },
  'data-disk-snapshot': { 'data-path': '/srv/registry' },
};

/** Of each input: a good value, and how to see that a value which was taken is there as it was given. */
const WHERE: Readonly<
  Record<string, readonly [good: string, carried: (inputs: Settings, value: string) => boolean]>
> = {
  mode: ['bootstrap', (inputs, value) => inputs.mode === value],
  'dry-run': ['false', (inputs, value) => isFlag(inputs.dryRun, value)],
  repair: ['false', (inputs, value) => isFlag(inputs.repair, value)],
  'keep-newest': ['5', ({ retention }, value) => retention.rules.at(-1)?.newest === Number(value)],
  'keep-within': ['30d', ({ retention }, value) => retention.rules.at(-1)?.within === parseDuration(value)],
  'keep-tags': [
    'v*, >=1.4',
    ({ retention }, value) => (retention.rules.at(-1)?.tags ?? []).length === split(value).length,
  ],
  repositories: [
    'team/* keep-newest=1',
    ({ retention }, value) =>
      retention.rules.map(({ repositories }) => repositories).join('\n') ===
      value
        .split('\n')
        .flatMap((line) => line.trim().split(/\s+/)[0] || [])
        .join('\n'),
  ],
  'in-use': [
    `app@sha256:${'a'.repeat(64)}`,
    ({ retention }, value) =>
      retention.inUse.every((digest) => /^sha256:[0-9a-f]{64}$/.test(digest) && value.includes(digest)),
  ],
  'gc-window': ['5m', ({ retention }, value) => retention.windowSeconds === parseDuration(value)],
  'snapshot-schedule': [
    'weekly sunday 04:00',
    ({ snapshots: { schedule } }, value) =>
      (schedule === null || schedule === 'none' ? schedule : describeSnapshotSchedule(schedule)) ===
      value.replace(/\b(\d:00)$/, '0$1'),
  ],
  'snapshot-keep-days': ['7', ({ snapshots }, value) => snapshots.keepDays === Number(value)],
  'snapshot-before': ['true', ({ snapshots }, value) => isFlag(snapshots.before, value)],
  'data-disk-snapshot': ['latest', ({ snapshots }, value) => snapshots.restore === value],
  'backup-to': ['snapshot', ({ backup }, value) => backup.to === value],
  'backup-path': ['copies/today', ({ backup }, value) => isBelow(backup.path, value)],
  'backup-repositories': [
    'team/*, app',
    ({ backup }, value) => backup.repositories.join() === split(value).join(),
  ],
  'restore-from': ['copies/today', ({ restore }, value) => restore !== null && isBelow(restore.from, value)],
  'restore-repository': [
    'team/app:1',
    ({ restore }, value) =>
      [restore?.fallback?.repository, restore?.fallback?.tag]
        .filter((part) => part !== undefined && part !== null)
        .join(':') === value,
  ],
  'restore-overwrite': ['true', ({ restore }, value) => isFlag(restore?.overwrite, value)],
  'delete-data': ['false', (inputs, value) => isFlag(inputs.deleteData, value)],
  'project-id': ['my-project-1', (inputs, value) => inputs.vm.project === value],
  zone: ['europe-west1-b', (inputs, value) => inputs.vm.zone === value],
  instance: ['web-1', (inputs, value) => inputs.vm.instance === value],
  'credentials-json': ['{"type":"x"}', ({ credentials }, value) => isJson(credentials, value)],
  'access-token': ['ya29.abc', ({ credentials }, value) => Object.values(credentials).includes(value)],
  'firewall-rule': ['web-1-registry', (inputs, value) => inputs.firewall.rule === value],
  route: ['ssh', (inputs, value) => inputs.route === value],
  'source-ranges': ['runner, 10.0.0.0/8', ({ firewall }, value) => areRanges(firewall, value)],
  'target-tag': ['web-1-registry', (inputs, value) => inputs.firewall.targetTag === value],
  'ssh-user': ['deployer', (inputs, value) => inputs.ssh.user === value],
  'ssh-private-key': [KEY, (inputs, value) => inputs.ssh.privateKey === `${value}\n`],
  'ssh-host-key': [`SHA256:${'a'.repeat(43)}`, ({ ssh }, value) => areHostKeys(ssh.hostKey, value)],
  'ssh-port': ['2222', (inputs, value) => inputs.ssh.port === Number(value)],
  'registry-host': ['registry.example.com', (inputs, value) => inputs.registry.host === value.toLowerCase()],
  'registry-port': ['5001', (inputs, value) => inputs.registry.port === Number(value)],
  'ui-port': ['8081', (inputs, value) => inputs.registry.uiPort === Number(value)],
  'registry-name': ['The registry', (inputs, value) => inputs.registry.title === value],
  'registry-image': ['registry:2', (inputs, value) => isImage(inputs.registry.image, value)],
  'front-image': [
    'mirror.example.com/caddy:2',
    (inputs, value) => isImage(inputs.registry.frontImage, value),
  ],
  ui: ['none', (inputs, value) => inputs.registry.ui === value],
  'ui-image': ['acme/ui:1', (inputs, value) => isImage(inputs.registry.uiImage, value)],
  tls: ['private-ca', (inputs, value) => inputs.registry.tls.kind === value],
  'tls-certificate': [TLS_CERTIFICATE, ({ registry }) => isPair(registry.tls)],
  'tls-private-key': [TLS_KEY, ({ registry }) => isPair(registry.tls)],
  'acme-email': [
    'a@example.com',
    ({ registry: { tls } }, value) => tls.kind === 'acme' && tls.email === value && isOneWord(value),
  ],
  'acme-directory': [
    'https://ca.example.com/acme/directory',
    ({ registry: { tls } }, value) =>
      tls.kind === 'acme' && areSame([tls.directory], [value]) && isOneWord(tls.directory),
  ],
  username: ['ci', ({ registry }, value) => registry.access.login?.username === value],
  password: ['a:b"$', ({ registry }, value) => registry.access.login?.password === value],
  users: ['ann:a:b"$', ({ registry }, value) => areLogins(registry.access, value, true)],
  readers: ['bob:x\nann:y', ({ registry }, value) => areLogins(registry.access, value, false)],
  'anonymous-pull': ['true', ({ registry }, value) => isFlag(registry.access.anonymousPull, value)],
  'docker-source': ['distro', (inputs, value) => inputs.docker.source === value],
  'docker-repository': [
    'https://example.com/x',
    ({ docker }, value) => areSame([docker.repository], [value]),
  ],
  'registry-mirrors': ['https://example.com', ({ docker }, value) => areSame(docker.mirrors, split(value))],
  'compose-version': ['v2.40.3', (inputs, value) => inputs.docker.compose.version === value],
  'compose-sha256': ['ab'.repeat(32), ({ docker }, value) => docker.compose.sha256 === value.toLowerCase()],
  'data-path': ['/mnt/registry', (inputs, value) => inputs.registry.dataPath === value],
  image: ['acme/app:1', ({ push }, value) => push !== null && formatReference(push.image) === value],
  tags: ['app:1, app:2', ({ push }, value) => split(value).every((tag) => push?.targets.some(named(tag)))],
  verify: ['false', (inputs, value) => isFlag(inputs.push?.verify, value)],
  'configure-runner': ['false', (inputs, value) => isFlag(inputs.runner.configure, value)],
  'restore-runner': ['false', (inputs, value) => isFlag(inputs.runner.restore, value)],
  'restart-runner': ['true', (inputs, value) => isFlag(inputs.runner.restart, value)],
  summary: ['false', (inputs, value) => isFlag(inputs.summary, value)],
};

const SECRETS = ['credentials-json', 'access-token', 'ssh-private-key'];

function isFlag(flag: boolean | undefined, value: string): boolean {
  return String(flag) === value.toLowerCase();
}

function isJson(credentials: Settings['credentials'], value: string): boolean {
  if (credentials.kind !== 'json') return false;
  const texts = [value, Buffer.from(value, 'base64').toString('utf8')];
  return texts.some((text) => {
    try {
      return JSON.stringify(JSON.parse(text)) === JSON.stringify(credentials.json);
    } catch {
      return false;
    }
  });
}

/** Nothing leads out of the workspace but a path that begins at the root. */
function isBelow(path: string, value: string): boolean {
  return path === resolve(value) && (isAbsolute(value) || `${path}/`.startsWith(`${process.cwd()}/`));
}

function split(value: string): string[] {
  return value.split(/[,\n]/).flatMap((item) => item.trim() || []);
}

/** As URLs, which have an ASCII form of everything. */
function areSame(urls: readonly string[], values: readonly string[]): boolean {
  const form = (text: string) => new URL(text).href.replace(/\/+$/, '');
  return urls.join() === values.map(form).join() && /^[\x21-\x7e]*$/.test(urls.join(''));
}

function areRanges({ runner, ranges }: Settings['firewall'], value: string): boolean {
  const items = split(value).filter((item) => item !== 'runner');
  return runner === split(value).includes('runner') && (ranges?.length ?? -1) <= items.length;
}

/** Whatever stands around them, they are these, or others that fit together. */
function areLogins({ logins }: Settings['registry']['access'], value: string, writes: boolean): boolean {
  const lines = value.split('\n').map((line) => line.replace(/\r$/, ''));
  return logins.every(({ name, secret, writes: may }) => {
    const text = secret.kind === 'password' ? secret.password : secret.hash;
    return (
      may === writes && lines.some((line) => line.split(':')[0]?.trim() === name && line.endsWith(`:${text}`))
    );
  });
}

/** As it stands in the front's configuration. */
function isOneWord(text: string): boolean {
  return /^[!-~]+$/.test(text) && !/[{}"'`\\]|^#/.test(text);
}

function isPair(tls: Settings['registry']['tls']): boolean {
  if (tls.kind !== 'certificate' || tls.given === null) return false;
  return new X509Certificate(tls.given.chain).checkPrivateKey(createPrivateKey(tls.given.key));
}

function areHostKeys(hostKey: Settings['ssh']['hostKey'], value: string): boolean {
  if (hostKey.kind !== 'given') return value.split('\n').every((line) => /^(#|$)/.test(line.trim()));
  try {
    return parseHostKeys(hostKey.entries, ['web-1'], 22).every(({ fingerprint }) =>
      /^SHA256:[\w+/]{43}$/.test(fingerprint),
    );
  } catch (error) {
    expectRefusal(error);
    return true;
  }
}

/** Docker's name for the same image. */
function isImage(image: string | null, value: string): boolean {
  const short = value.replace(/^(index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '');
  return image === short || image === `${short}:latest`;
}

const named = (tag: string) => (target: { path: string; tag: string }) =>
  tag === `${target.path}:${target.tag}` ||
  (tag === target.path && target.tag === 'latest') ||
  // A tag of the image's own name.
  (tag === `:${target.tag}` && target.path === 'hello-world');

function expectRefusal(error: unknown): void {
  expect(error).toBeInstanceOf(ActionError);
  expectSafe((error as ActionError).message);
  expect((error as ActionError).message).toMatch(/^[\x20-\x7e…’]*$/);
}

function read(name: string, value: string): Settings {
  const all: Record<string, string> = { ...required, ...BESIDE[name], [name]: value };
  return readSettings((each) => all[each]?.trim() ?? '', undefined);
}

test('every input of action.yml is tried', () => {
  const others = Object.keys(manifest.inputs).filter((name) => name !== 'config');
  expect(Object.keys(WHERE).sort()).toEqual(others.sort());
});

test.each(Object.entries(WHERE))('%s: a good value is taken', (name, [good, carried]) => {
  expect(carried(read(name, good), good)).toBe(true);
});

test.each(Object.entries(WHERE))('%s: whatever it holds', (name, [good, carried]) => {
  const messages = new Set<string>();
  const property = fc.property(fc.oneof(hostileText, spoilt(good)), (text) => {
    const value = text.trim();
    fc.pre(value !== '');
    let inputs: Settings;
    try {
      inputs = read(name, value);
    } catch (error) {
      expectRefusal(error);
      messages.add((error as ActionError).message);
      return;
    }
    expect(carried(inputs, value)).toBe(true);
  });
  fc.assert(property, { numRuns: 200 });
  // What is said of a secret does not depend on what it is; of a key, on its form alone.
  const most = ['tls-private-key', 'password', 'users', 'readers'].includes(name) ? 99 : 1;
  if (SECRETS.includes(name)) expect(messages.size).toBeLessThanOrEqual(most);
});
