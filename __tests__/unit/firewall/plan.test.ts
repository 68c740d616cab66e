import fc from 'fast-check';
import { describeChange } from '../../../src/converge/describe';
import { newRule } from '../../../src/firewall/desired';
import { type FirewallState, planFirewall } from '../../../src/firewall/plan';
import { holdsPort } from '../../../src/firewall/rule-match';
import type { FirewallRule } from '../../../src/google/compute';
import { DESIRED, rule, VM } from './fixtures';

const OURS = newRule({ name: DESIRED.rule, ranges: DESIRED.ranges }, DESIRED, VM);

function actions(rules: readonly FirewallRule[], desired = DESIRED, vm = VM) {
  return planFirewall(desired, { vm, rules }).steps.map(({ action }) => action);
}

test('nothing there: the rule as design says', () => {
  expect(actions([])).toEqual([{ kind: 'insert', rule: OURS }]);
  expect(OURS).toMatchObject({
    network: 'projects/host/global/networks/shared',
    direction: 'INGRESS',
    sourceRanges: ['192.0.2.0/24'],
    targetTags: ['web-1-registry'],
    allowed: [{ protocol: 'tcp', ports: ['5000', '18080'] }],
  });
});

test('the tag is added where the instance lacks it', () => {
  const vm = { ...VM, tags: { items: ['http'], fingerprint: 'f' } };
  expect(actions([OURS], DESIRED, vm)).toEqual([{ kind: 'tag', tag: 'web-1-registry' }]);
});

test.each<[string, Partial<FirewallRule>]>([
  ['as wanted', {}],
  ['other description, priority', { description: '', priority: 1 }],
  [
    'more ports',
    {
      allowed: [
        { protocol: 'tcp', ports: ['22', '5000-5010', '18080'] },
        { protocol: 'icmp', ports: [] },
      ],
    },
  ],
  ['every port', { allowed: [{ protocol: 'tcp', ports: [] }] }],
  ['every protocol', { allowed: [{ protocol: 'all', ports: [] }] }],
  ['TCP by number', { allowed: [{ protocol: '6', ports: ['5000', '18080'] }] }],
  ['ranges cut in another way', { sourceRanges: ['192.0.2.128/25', '192.0.2.0/25'] }],
  ['more targets', { targetTags: ['other', 'web-1-registry'] }],
])('a rule of somebody else that does is left alone: %s', (_name, changes) => {
  expect(actions([rule(changes)])).toEqual([]);
});

test.each<[string, Partial<FirewallRule>, Partial<FirewallRule>]>([
  [
    'a port missing',
    {
      allowed: [
        { protocol: 'udp', ports: ['53'] },
        { protocol: 'tcp', ports: ['18080'] },
      ],
    },
    {
      allowed: [
        { protocol: 'udp', ports: ['53'] },
        { protocol: 'tcp', ports: ['18080', '5000'] },
      ],
    },
  ],
  [
    'no TCP',
    { allowed: [{ protocol: 'icmp', ports: [] }] },
    {
      allowed: [
        { protocol: 'icmp', ports: [] },
        { protocol: 'tcp', ports: ['5000', '18080'] },
      ],
    },
  ],
  ['other ranges', { sourceRanges: ['0.0.0.0/0'] }, { sourceRanges: ['192.0.2.0/24'] }],
  ['every instance', { targetTags: [] }, { targetTags: ['web-1-registry'] }],
  ['other instances', { targetTags: ['other'] }, { targetTags: ['other', 'web-1-registry'] }],
  ['disabled', { disabled: true }, { disabled: false }],
])('of a rule of somebody else only what differs is changed: %s', (_name, changes, fields) => {
  expect(actions([rule(changes)])).toEqual([{ kind: 'patch', name: 'web-1-registry', fields }]);
});

test("the tutorial's rule: what is missing is added, and its source tags are pointed out", () => {
  const tutorial = rule({
    sourceRanges: ['0.0.0.0/0'],
    sourceTags: ['registry'],
    targetTags: [],
    allowed: [{ protocol: 'tcp', ports: ['18080'] }],
  });
  const { steps, notes } = planFirewall({ ...DESIRED, ranges: ['0.0.0.0/0'] }, { vm: VM, rules: [tutorial] });
  expect(steps.map(({ change }) => describeChange(change))).toEqual([
    'ports of rule web-1-registry: tcp:18080 → tcp:18080,5000, because the instance serves tcp:5000,18080',
    'targets of rule web-1-registry: every instance of the network → web-1-registry, because the rule is for this instance, and reaches it through its tag',
  ]);
  expect(notes.join()).toContain('also admits the instances tagged registry');
});

test('a rule of ours loses the ports that are not wanted any more', () => {
  expect(actions([OURS], { ...DESIRED, ports: [5001] })).toEqual([
    { kind: 'patch', name: 'web-1-registry', fields: { allowed: [{ protocol: 'tcp', ports: ['5001'] }] } },
  ]);
});

test.each<[string, Partial<FirewallRule>, string]>([
  ['egress', { direction: 'EGRESS' }, 'Firewall rule of another kind'],
  ['deny', { allowed: [], denied: [{ protocol: 'all', ports: [] }] }, 'Firewall rule of another kind'],
  ['targets by account', { targetServiceAccounts: ['a@b'] }, 'Firewall rule of another kind'],
  ['sources by account', { sourceServiceAccounts: ['a@b'] }, 'Firewall rule of another kind'],
  ['another network', { network: 'projects/host/global/networks/other' }, 'Firewall rule of another network'],
  [
    'the same name in another project',
    { network: 'projects/x/global/networks/shared' },
    'Firewall rule of another network',
  ],
])('a rule that cannot become ours is an error: %s', (_name, changes, title) => {
  expect(() => actions([rule(changes)])).toThrow(expect.objectContaining({ title }));
});

describe('without CIDRs', () => {
  const desired = { ...DESIRED, ranges: [] };

  test('no rule is made', () => {
    expect(actions([], desired)).toEqual([]);
  });

  test('a rule of ours is removed', () => {
    expect(actions([OURS], desired)).toEqual([{ kind: 'delete', name: 'web-1-registry' }]);
  });

  test('a rule of somebody else stays, with a note', () => {
    const { steps, notes } = planFirewall(desired, { vm: VM, rules: [rule()] });
    expect(steps).toEqual([]);
    expect(notes.join()).toContain('was not made by this action');
  });
});

test('IPv6 has a rule of its own, because Google mixes no families', () => {
  const inserted = actions([], { ...DESIRED, ranges: ['192.0.2.0/24', '2001:db8::/32'] });
  expect(inserted).toEqual([
    {
      kind: 'insert',
      rule: expect.objectContaining({ name: 'web-1-registry', sourceRanges: ['192.0.2.0/24'] }),
    },
    {
      kind: 'insert',
      rule: expect.objectContaining({ name: 'web-1-registry-ipv6', sourceRanges: ['2001:db8::/32'] }),
    },
  ]);
});

const port = fc.integer({ min: 1, max: 65_535 });
const ports = fc.oneof(
  port.map(String),
  fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
);
const entry = fc.record({
  protocol: fc.constantFrom('tcp', 'udp', 'all', '6', 'icmp'),
  ports: fc.array(ports),
});
const anyRule = fc.record({
  allowed: fc.array(entry, { minLength: 1 }),
  sourceRanges: fc.array(fc.constantFrom('192.0.2.0/25', '192.0.2.128/25', '10.0.0.0/8', '0.0.0.0/0')),
  targetTags: fc.array(fc.constantFrom('a', 'web-1-registry')),
  disabled: fc.boolean(),
  description: fc.constantFrom('made by hand', OURS.description),
});

/** What Google does with the steps. */
function applied({ vm, rules }: FirewallState, desired = DESIRED): FirewallState {
  let present = [...rules];
  for (const { action } of planFirewall(desired, { vm, rules }).steps) {
    if (action.kind === 'insert') present.push(action.rule);
    if (action.kind === 'delete') present = present.filter(({ name }) => name !== action.name);
    if (action.kind === 'patch') {
      present = present.map((one) => (one.name === action.name ? { ...one, ...action.fields } : one));
    }
  }
  return { vm, rules: present };
}

test('whatever the rule is like, one round of changes is enough, and loses nothing of somebody else', () => {
  fc.assert(
    fc.property(anyRule, fc.uniqueArray(port, { minLength: 1, maxLength: 2 }), (changes, wanted) => {
      const desired = { ...DESIRED, ports: wanted };
      const before = rule(changes);
      const after = applied({ vm: VM, rules: [before] }, desired);
      expect(planFirewall(desired, after).steps).toEqual([]);
      const [result] = after.rules;
      expect(result?.sourceRanges).not.toHaveLength(0);
      for (const each of wanted) expect(holdsPort(result?.allowed ?? [], each)).toBe(true);
      if (before.description === 'made by hand') {
        for (const { protocol } of before.allowed) {
          expect(result?.allowed.map((item) => item.protocol)).toContain(protocol);
        }
      }
    }),
  );
});
