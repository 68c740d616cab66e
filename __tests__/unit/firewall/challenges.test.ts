import { describeChange } from '../../../src/converge/describe';
import type { DesiredFirewall } from '../../../src/firewall/desired';
import { planFirewall } from '../../../src/firewall/plan';
import { resolveNames } from '../../../src/firewall/resolve-names';
import type { FirewallRule } from '../../../src/google/compute';
import { DESIRED, ownRule, rule, VM } from './fixtures';

const WANTED: DesiredFirewall = { ...DESIRED, challenges: ['0.0.0.0/0'] };
const ACCESS = ownRule(DESIRED.rule, VM);
const plan = (rules: readonly FirewallRule[], desired = WANTED, vm = VM) =>
  planFirewall(desired, { vm, rules });
const actions = (rules: readonly FirewallRule[], desired = WANTED) =>
  plan(rules, desired).steps.map(({ action }) => action);

/** The rule for challenges, as it is made. */
function made(): FirewallRule {
  const [action] = actions([ACCESS]);
  if (action?.kind !== 'insert') throw new Error('no rule is made');
  return action.rule;
}

test('a rule of its own, with its reason, and that of the registry stays as it is', () => {
  const { steps } = plan([ACCESS]);
  expect(steps.map(({ action }) => action)).toEqual([
    {
      kind: 'insert',
      rule: expect.objectContaining({
        name: 'web-1-registry-acme',
        description: expect.stringMatching(
          /^Challenges of a certificate authority for instance web-1\. Managed by/,
        ),
        direction: 'INGRESS',
        sourceRanges: ['0.0.0.0/0'],
        targetTags: ['web-1-registry'],
        allowed: [{ protocol: 'tcp', ports: ['80'] }],
      }),
    },
  ]);
  expect(steps.map(({ change }) => describeChange(change)).join()).toMatch(
    /rule web-1-registry-acme.*tcp:80 from 0\.0\.0\.0\/0.*nothing else is answered/,
  );
});

test('over IPv6 by a second one', () => {
  const inserted = actions([ACCESS], { ...WANTED, challenges: ['0.0.0.0/0', '::/0'] });
  expect(inserted).toMatchObject([
    { rule: { name: 'web-1-registry-acme' } },
    { rule: { name: 'web-1-registry-acme-ipv6', sourceRanges: ['::/0'] } },
  ]);
});

test('what is there is left, what was changed is put right, and it goes with ACME without a warning', () => {
  expect(actions([ACCESS, made()])).toEqual([]);
  expect(actions([ACCESS, { ...made(), disabled: true, sourceRanges: ['192.0.2.0/24'] }])).toMatchObject([
    { kind: 'patch', fields: { sourceRanges: ['0.0.0.0/0'] } },
    { kind: 'patch', fields: { disabled: false } },
  ]);
  const [step, ...others] = plan([ACCESS, made()], DESIRED).steps;
  expect(others).toEqual([]);
  expect(step?.action).toEqual({ kind: 'delete', name: 'web-1-registry-acme' });
  expect(step?.change).not.toHaveProperty('takesAccess');
});

test('without source-ranges it is made and taken away all the same', () => {
  const silent = { ...WANTED, ranges: null };
  expect(actions([ACCESS], silent)).toMatchObject([
    { kind: 'insert', rule: { name: 'web-1-registry-acme' } },
  ]);
  expect(actions([ACCESS, made()], { ...DESIRED, ranges: null })).toMatchObject([{ kind: 'delete' }]);
});

test('a rule of that name that is somebody else’s is not touched', () => {
  const theirs = rule({
    name: 'web-1-registry-acme',
    targetTags: [],
    allowed: [{ protocol: 'tcp', ports: ['80'] }],
  });
  expect(() => plan([ACCESS, theirs])).toThrow(/^Firewall rule of somebody else/);
  expect(actions([ACCESS, theirs], DESIRED)).toEqual([]);
});

test('another instance of the same name keeps its own: this one takes another name', () => {
  const elsewhere = { ...VM, zone: 'europe-west1-c' };
  const names = resolveNames(WANTED, elsewhere, [made()]);
  expect(names.rule).toMatch(/^web-1-registry-[0-9a-f]{8}$/);
});
