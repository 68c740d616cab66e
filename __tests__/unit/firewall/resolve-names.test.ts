import { identityOf, ownerOf } from '../../../src/firewall/identity';
import { openingRule } from '../../../src/firewall/opening';
import { resolveNames } from '../../../src/firewall/resolve-names';
import type { FirewallRule, Instance } from '../../../src/google/compute';
import { nameOfOne } from '../../../src/values/names';
import { type DESIRED, ownRule, rule, VM } from './fixtures';

const BARE: Instance = { ...VM, tags: { items: ['http'], fingerprint: 'f' } };
const ELSEWHERE: Instance = { ...BARE, zone: 'europe-west1-c' };
const UNIQUE = nameOfOne(VM.name, identityOf(VM));
const PLAIN = 'web-1-registry';

const standing = (vm: Instance, changes: Partial<FirewallRule> = {}): FirewallRule => ({
  ...ownRule(PLAIN, vm),
  ...changes,
});
const OLD = {
  description: 'Docker registry and its web UI on instance web-1. Managed by gce-registry-action.',
};
const openingOf = (vm: Instance): FirewallRule => {
  const identity = { runId: '1', attempt: '1', unique: 'x' };
  const request = { vm, address: '192.0.2.7', targetTag: PLAIN, ports: [5000], identity, url: null };
  return openingRule({ ...request, expires: new Date('2099-01-01') }) as FirewallRule;
};

test.each<[string, FirewallRule, Instance, string]>([
  ['that names this instance in full', standing(VM), BARE, 'this'],
  [
    'with words that people added',
    standing(VM, { description: `${standing(VM).description} Ticket 7.` }),
    VM,
    'this',
  ],
  ['of the same name in another zone', standing(ELSEWHERE), VM, 'another'],
  ['of the same name in another project', standing({ ...VM, project: 'other' }), VM, 'another'],
  ['of an instance made anew', standing({ ...VM, id: '8' }), VM, 'this'],
  ['of old, with the tag that the instance carries', standing(VM, OLD), VM, 'this'],
  ['of old, and the instance lacks the tag', standing(VM, OLD), BARE, 'another'],
  [
    'of old, in another network',
    standing(VM, { ...OLD, network: 'projects/host/global/networks/x' }),
    VM,
    'another',
  ],
  ['of old, for two tags', standing(VM, { ...OLD, targetTags: [PLAIN, 'http'] }), VM, 'another'],
  [
    'of old, for another instance',
    standing(VM, { description: OLD.description.replace('web-1', 'web-2') }),
    VM,
    'another',
  ],
  ['of somebody', rule(), VM, 'somebody'],
  ['that an opening is', openingOf(VM), VM, 'somebody'],
])('a rule %s', (_name, present, vm, owner) => {
  expect(ownerOf(present, vm)).toBe(owner);
});

const names = (rules: readonly FirewallRule[], vm = BARE, given: Partial<typeof DESIRED> = {}) =>
  Object.values(resolveNames({ rule: PLAIN, targetTag: PLAIN, ...given }, vm, rules));

test.each<[string, FirewallRule[], Instance, string, string]>([
  ['nothing there', [], BARE, PLAIN, PLAIN],
  ['a rule of our own', [standing(VM)], VM, PLAIN, PLAIN],
  ['a rule of our own, and the instance was made anew', [standing(VM)], BARE, PLAIN, PLAIN],
  ['a rule of old of our own', [standing(VM, OLD)], VM, PLAIN, PLAIN],
  ['a rule of old, which may be another instance’s', [standing(VM, OLD)], BARE, UNIQUE, UNIQUE],
  ['a rule of another zone', [standing(ELSEWHERE)], BARE, UNIQUE, UNIQUE],
  ['a rule of another zone, for both tags', [standing(ELSEWHERE)], VM, UNIQUE, UNIQUE],
  ['a rule for IPv6 of another zone', [standing(ELSEWHERE, { name: `${PLAIN}-ipv6` })], BARE, UNIQUE, UNIQUE],
  [
    'a rule of another network, where the tag is nobody else’s',
    [standing({ ...ELSEWHERE, network: { project: 'host', name: 'other' } })],
    BARE,
    UNIQUE,
    PLAIN,
  ],
  ['a rule of somebody', [rule()], BARE, PLAIN, PLAIN],
  ['an opening of another zone', [openingOf(ELSEWHERE)], BARE, PLAIN, UNIQUE],
  ['an opening of another zone, and our own rule', [openingOf(ELSEWHERE), standing(VM)], VM, PLAIN, PLAIN],
  ['an opening of our own', [openingOf(VM)], BARE, PLAIN, PLAIN],
  [
    'our tag, given to an instance of another name',
    [openingOf({ ...VM, name: 'web-2' })],
    BARE,
    PLAIN,
    PLAIN,
  ],
])('%s', (_name, rules, vm, wantedRule, wantedTag) => {
  expect(names(rules, vm)).toEqual([wantedRule, wantedTag]);
});

test('a name that was chosen once stays, whatever becomes of the other instance', () => {
  const vm = { ...BARE, tags: { items: [UNIQUE], fingerprint: 'f' } };
  const own = standing(VM, { name: UNIQUE, targetTags: [UNIQUE] });
  expect(names([standing(ELSEWHERE), own], vm)).toEqual([UNIQUE, UNIQUE]);
  expect(names([own], vm)).toEqual([UNIQUE, UNIQUE]);
  expect(names([own], BARE)).toEqual([UNIQUE, UNIQUE]);
  expect(names([], vm)).toEqual([PLAIN, UNIQUE]);
});

test('names that were given are taken as they are', () => {
  const given = { rule: 'theirs', targetTag: 'tag' };
  expect(names([standing(ELSEWHERE, { name: 'theirs', targetTags: ['tag'] })], BARE, given)).toEqual([
    'theirs',
    'tag',
  ]);
});
