import { openingRule } from '../../../src/firewall/opening';
import type { FirewallRule } from '../../../src/google/compute';
import { sweep } from '../../../src/leases/sweep';
import { rule, VM } from '../firewall/fixtures';
import { fakeLog } from '../google/fakes';
import { FakeCompute } from './example';

const TAG = 'web-1-registry';
const HOUR = 60 * 60 * 1000;

let compute: FakeCompute;
let log: ReturnType<typeof fakeLog>;

beforeEach(() => {
  compute = new FakeCompute();
  log = fakeLog();
});

function opening(unique: string, hours: number): FirewallRule {
  const made = openingRule({
    vm: VM,
    address: '198.51.100.7',
    targetTag: TAG,
    ports: [5000],
    identity: { runId: '1', attempt: '1', unique },
    url: null,
    expires: new Date(Date.now() + hours * HOUR),
  });
  if (made === null) throw new Error('no opening');
  return made;
}

function key(user: string, hours: number): string {
  const expireOn = new Date(Date.now() + hours * HOUR).toISOString().replace(/\.\d+Z$/, '+0000');
  return `${user}:ssh-ed25519 AAAA google-ssh {"userName":"${user}","expireOn":"${expireOn}"}`;
}

const run = (options: { hasDroppedKeys?: boolean; lentTag?: string | null } = {}) =>
  sweep({
    compute,
    vm: compute.vm,
    rules: Promise.resolve(compute.rules),
    log,
    user: 'ci',
    hasDroppedKeys: false,
    lentTag: null,
    ...options,
  });

const withTags = (...items: string[]) => {
  compute.vm = { ...VM, tags: { items, fingerprint: 'f' } };
};

test('what has expired goes, what a living run holds and what others made stays', async () => {
  const [dead, living] = [opening('dead', -1), opening('living', 1)];
  compute.rules = [dead, living, rule()];
  await run();
  expect(compute.rules).toEqual([living, rule()]);
});

test('expired keys of the same login go, and no others', async () => {
  const kept = [key('ci', 1), key('ann', -1), 'ci:ssh-ed25519 AAAA permanent'];
  const value = [key('ci', -1), ...kept].join('\n');
  compute.vm = { ...VM, metadata: { items: [{ key: 'ssh-keys', value }], fingerprint: 'f' } };
  await run({ hasDroppedKeys: true });
  expect(compute.calls).toEqual([]);
  await run();
  expect(compute.sshKeys).toBe(kept.join('\n'));
});

test('keys that may not be removed are a warning', async () => {
  compute.vm = { ...VM, metadata: { items: [{ key: 'ssh-keys', value: key('ci', -1) }], fingerprint: 'f' } };
  compute.failing = { editMetadata: new Error('403') };
  await run();
  expect(log.lines.at(-1)).toContain('Expired SSH keys stay in the metadata of web-1: 403');
});

test.each([
  ['a dead check lent goes', [], TAG, ['http']],
  [
    'a dead check lent stays for now where another run needs it',
    ['living'],
    TAG,
    ['http', TAG, `${TAG}-lent`],
  ],
  ['a dead check lent is left to a run that makes it stay', [], null, ['http', TAG, `${TAG}-lent`]],
])('a tag that %s', async (_, living, lentTag, expected) => {
  withTags('http', TAG, `${TAG}-lent`);
  compute.rules = [opening('dead', -1), ...living.map((unique) => opening(unique, 1))];
  await run({ lentTag });
  expect(compute.vm.tags.items).toEqual(expected);
});

test('a tag that the instance has for good is not looked at', async () => {
  withTags('http', TAG);
  compute.failing = { editTags: new Error('not to be called'), listFirewallRules: new Error('nor this') };
  await run({ lentTag: TAG });
  expect(compute.vm.tags.items).toEqual(['http', TAG]);
});
