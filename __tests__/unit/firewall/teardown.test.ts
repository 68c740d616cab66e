import { identityOf } from '../../../src/firewall/identity';
import { planFirewallTeardown } from '../../../src/firewall/teardown';
import type { FirewallRule, Instance } from '../../../src/google/compute';
import { nameOfOne } from '../../../src/values/names';
import { DESIRED, ownRule, VM } from './fixtures';

const TAG = 'web-1-registry';
const planned = (rules: readonly FirewallRule[], vm: Instance = VM, asked = DESIRED) => {
  const { steps, notes } = planFirewallTeardown(asked, { vm, rules });
  return { steps: steps.map(({ action }) => action), notes };
};
const own = ownRule(TAG, VM);
const tagged = (name: string): FirewallRule => ({ ...own, name, description: 'by hand', targetTags: [TAG] });
const removal = { kind: 'delete', name: TAG };
const untag = { kind: 'untag', tag: TAG };
const NAMESAKE = { ...VM, zone: 'europe-west1-c' };

test.each<[string, readonly FirewallRule[], object[], RegExp | null]>([
  ['rule and tag', [own], [removal, untag], null],
  ['a tag alone', [], [untag], null],
  ['a rule of somebody else needs the tag', [own, tagged('mine')], [removal], /stays: rule mine needs it/],
  [
    'a rule of the same name for another instance stays, and the tag with it',
    [ownRule(TAG, NAMESAKE)],
    [],
    null,
  ],
  ['a rule of another network', [{ ...own, network: 'projects/host/global/networks/other' }], [untag], null],
])('%s', (_, rules, steps, note) => {
  const { steps: actions, notes } = planned(rules);
  expect(actions).toEqual(steps);
  if (note === null) expect(notes).toEqual([]);
  else expect(notes.join()).toMatch(note);
});

test('nothing is left to do afterwards', () => {
  const vm = { ...VM, tags: { ...VM.tags, items: ['http'] } };
  expect(planned([], vm)).toEqual({ steps: [], notes: [] });
});

test('a tag of a namesake is not this one', () => {
  const unique = nameOfOne(VM.name, identityOf(VM));
  const vm = { ...VM, tags: { ...VM.tags, items: ['http', unique] } };
  expect(planned([ownRule(TAG, NAMESAKE)], vm).steps).toEqual([{ kind: 'untag', tag: unique }]);
});

test('a tag that the inputs name may be older than the action', () => {
  const vm = { ...VM, tags: { ...VM.tags, items: ['http'] } };
  const asked = { ...DESIRED, targetTag: 'http' };
  expect(planned([], vm, asked)).toMatchObject({ steps: [], notes: [expect.stringMatching(/target-tag/)] });
});

test('who loses access is told', () => {
  const { steps } = planFirewallTeardown(DESIRED, { vm: VM, rules: [own, { ...own, disabled: true }] });
  expect(steps.map(({ change }) => change.takesAccess ?? false)).toEqual([true, false, false]);
});
