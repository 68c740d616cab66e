import fc from 'fast-check';
import { describeChange } from '../../../src/converge/describe';
import { type FirewallState, planFirewall } from '../../../src/firewall/plan';
import { holdsPort } from '../../../src/firewall/rule-match';
import type { FirewallRule } from '../../../src/google/compute';
import { isWithin } from '../../../src/values/ranges';
import { DESIRED, ownRule, rule, VM } from './fixtures';

const RANGES = ['192.0.2.0/24'];
const OURS = ownRule(DESIRED.rule, VM);
const ELSEWHERE = { ...VM, zone: 'europe-west1-c' };

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

describe('a rule of somebody else', () => {
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
    ['a target that the instance has', { targetTags: ['http'] }],
    ['every instance', { targetTags: [] }],
  ])('that does what is wanted is left alone: %s', (_name, changes) => {
    const { steps, notes } = planFirewall(DESIRED, { vm: VM, rules: [rule(changes)] });
    expect(steps).toEqual([]);
    expect(notes.join()).toContain('was not made by this action, and keeps all that it has');
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
    ['fewer ranges', { sourceRanges: ['192.0.2.0/25'] }, { sourceRanges: RANGES }],
    ['disabled', { disabled: true }, { disabled: false }],
  ])('whose only target is our tag gets what is missing: %s', (_name, changes, fields) => {
    expect(actions([rule(changes)])).toEqual([{ kind: 'patch', name: 'web-1-registry', fields }]);
  });

  test.each<[string, Partial<FirewallRule>, RegExp]>([
    [
      'every instance, and a port missing',
      { targetTags: [], allowed: [] },
      /every instance of network shared/,
    ],
    ['every instance, and more sources', { targetTags: [], sourceRanges: ['0.0.0.0/0'] }, /every instance/],
    ['other instances alone', { targetTags: ['other'] }, /tagged other/],
    [
      'other instances, and a port missing',
      { targetTags: ['other', 'web-1-registry'], allowed: [] },
      /tagged other as well/,
    ],
    ['more sources', { sourceRanges: ['0.0.0.0/0'] }, /admits 0\.0\.0\.0\/0, and source-ranges names less/],
    ['other sources', { sourceRanges: ['198.51.100.0/24', ...RANGES] }, /cuts somebody off/],
  ])(
    'whose change would take something from others is refused, with two ways out: %s',
    (_name, changes, why) => {
      const plan = () => actions([rule(changes)]);
      expect(plan).toThrow(/^Firewall rule of somebody else: .* Either leave that rule as it is.* Or change/);
      expect(plan).toThrow(why);
    },
  );
});

describe('a rule of another instance', () => {
  const theirs = ownRule(DESIRED.rule, ELSEWHERE);
  const given = { ...DESIRED, rule: 'given' };

  test('under the default name is left alone and named; ours has a name and a tag of its own', () => {
    const { steps, notes } = planFirewall(DESIRED, { vm: VM, rules: [theirs] });
    const name = expect.stringMatching(/^web-1-registry-[0-9a-f]{8}$/);
    expect(steps.map(({ action }) => action)).toEqual([
      { kind: 'tag', tag: name },
      { kind: 'insert', rule: expect.objectContaining({ name, targetTags: [name] }) },
    ]);
    expect(notes.join('\n')).toMatch(
      /rule web-1-registry is of service\/europe-west1-c\/web-1, and is left alone; the standing rule of this instance is called web-1-registry-/,
    );
  });

  test.each([[[]], [null]])('under the default name, with ranges %j: no step touches it', (ranges) => {
    expect(actions([theirs], { ...DESIRED, ranges })).toEqual([{ kind: 'tag', tag: expect.any(String) }]);
  });

  test('named in firewall-rule, where it does not do, is refused', () => {
    expect(() => actions([{ ...theirs, name: 'given', disabled: true }], given)).toThrow(
      /^Firewall rule of another instance: .*it is of service\/europe-west1-c\/web-1\. Leave `firewall-rule` away/,
    );
  });

  test('named in firewall-rule, where it does: left as it is', () => {
    const tag = expect.stringMatching(/^web-1-registry-/);
    expect(actions([{ ...theirs, name: 'given' }], given)).toEqual([{ kind: 'tag', tag }]);
  });
});

test('a rule of old gets the full identity of its instance', () => {
  const old = {
    ...OURS,
    description: 'Docker registry and its web UI on instance web-1. Managed by gce-registry-action.',
  };
  const fields = { description: expect.stringContaining(' instance=service/europe-west1-b/web-1') };
  expect(actions([old])).toEqual([{ kind: 'patch', name: 'web-1-registry', fields }]);
});

test("a rule like the tutorial's: what is missing is added, and its source tags are pointed out", () => {
  const tutorial = rule({
    sourceRanges: ['0.0.0.0/0'],
    sourceTags: ['registry'],
    allowed: [{ protocol: 'tcp', ports: ['18080'] }],
  });
  const { steps, notes } = planFirewall({ ...DESIRED, ranges: ['0.0.0.0/0'] }, { vm: VM, rules: [tutorial] });
  expect(steps.map(({ change }) => describeChange(change))).toEqual([
    'ports of rule web-1-registry: tcp:18080 → tcp:18080,5000, because the instance serves tcp:5000,18080',
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
])('a rule that cannot serve is an error: %s', (_name, changes, title) => {
  const named = { ...DESIRED, rule: 'given' };
  expect(() => actions([rule({ name: 'given', ...changes })], named)).toThrow(
    expect.objectContaining({ title }),
  );
});

test('a default name that is taken in another network is left alone, and another one used', () => {
  const [step] = actions([rule({ network: 'projects/host/global/networks/other' })]);
  expect(step).toMatchObject({ kind: 'insert', rule: { name: expect.stringMatching(/-[0-9a-f]{8}$/) } });
});

const taken = (rules: readonly FirewallRule[], desired = DESIRED) =>
  planFirewall(desired, { vm: VM, rules }).steps.map(({ change }) => change.takesAccess ?? false);

describe('asked for no CIDRs', () => {
  const desired = { ...DESIRED, ranges: [] };

  test('no rule is made', () => {
    expect(actions([], desired)).toEqual([]);
  });

  test('where no run comes through the firewall, it gets no tag either', () => {
    const bare = { ...VM, tags: { items: [], fingerprint: 'f' } };
    const kinds = (runner: boolean, challenges: readonly string[] = []) =>
      planFirewall({ ...desired, runner, challenges, ports: [] }, { vm: bare, rules: [] }).steps.map(
        ({ action }) => action.kind,
      );
    expect([kinds(false), kinds(true)]).toEqual([[], ['tag']]);
    expect(kinds(false, ['0.0.0.0/0'])).toEqual(['tag', 'insert']);
  });

  test('a rule of ours is removed, which takes access away', () => {
    expect(actions([OURS], desired)).toEqual([{ kind: 'delete', name: 'web-1-registry' }]);
    expect(taken([OURS], desired)).toEqual([true]);
    expect(taken([{ ...OURS, disabled: true }], desired)).toEqual([false]);
  });

  test('a rule of somebody else stays, with a note', () => {
    const { steps, notes } = planFirewall(desired, { vm: VM, rules: [rule()] });
    expect(steps).toEqual([]);
    expect(notes.join()).toContain('was not made by this action');
  });
});

describe('where nothing is said of CIDRs', () => {
  const desired = { ...DESIRED, ranges: null };

  test('no rule is made, and a standing rule stays as it is', () => {
    expect(actions([], desired)).toEqual([]);
    expect(actions([OURS], desired)).toEqual([]);
    expect(actions([{ ...OURS, disabled: true, sourceRanges: ['10.0.0.0/8'] }], desired)).toEqual([]);
    expect(
      actions([{ ...OURS, name: 'web-1-registry-ipv6', sourceRanges: ['2001:db8::/32'] }], desired),
    ).toEqual([]);
  });

  test('the ports of a rule of ours follow the instance', () => {
    const fields = { allowed: [{ protocol: 'tcp', ports: ['5001'] }] };
    expect(actions([OURS], { ...desired, ports: [5001] })).toEqual([
      { kind: 'patch', name: 'web-1-registry', fields },
    ]);
  });

  test.each<[string, Partial<FirewallRule>]>([
    ['of every instance', { targetTags: [] }],
    ['that denies', { allowed: [], denied: [{ protocol: 'all', ports: [] }] }],
    ['for outgoing traffic', { direction: 'EGRESS' }],
  ])('a rule of somebody else is no matter: %s', (_name, changes) => {
    expect(actions([rule(changes)], desired)).toEqual([]);
  });
});

test.each([
  ['the same', ['192.0.2.0/24'], []],
  ['more', ['192.0.2.0/24', '198.51.100.0/24'], [false]],
  ['a part', ['192.0.2.0/25'], [true]],
  ['others', ['198.51.100.0/24'], [true]],
])('sources become %s: whether that takes access away', (_name, ranges, expected) => {
  expect(taken([OURS], { ...DESIRED, ranges })).toEqual(expected);
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

test('whatever the rule is like: one round of changes is enough, or it is refused; nobody else loses anything', () => {
  fc.assert(
    fc.property(anyRule, fc.uniqueArray(port, { minLength: 1, maxLength: 2 }), (changes, wanted) => {
      const desired = { ...DESIRED, ports: wanted };
      const before = rule(changes);
      const isOurs = before.description === OURS.description;
      let after: FirewallState;
      try {
        after = applied({ vm: VM, rules: [before] }, desired);
      } catch (error) {
        expect(isOurs).toBe(false);
        expect(error).toMatchObject({ title: 'Firewall rule of somebody else' });
        return;
      }
      expect(planFirewall(desired, after).steps).toEqual([]);
      const [result] = after.rules;
      expect(result?.sourceRanges).not.toHaveLength(0);
      for (const each of wanted) expect(holdsPort(result?.allowed ?? [], each)).toBe(true);
      if (isOurs) return;
      expect(result?.targetTags).toEqual(before.targetTags);
      expect(isWithin(before.sourceRanges, result?.sourceRanges ?? [])).toBe(true);
      for (const { protocol } of before.allowed) {
        expect(result?.allowed.map((item) => item.protocol)).toContain(protocol);
      }
      // What is for other instances as well gets nothing new either.
      const isForUsAlone = before.targetTags.length > 0 && !before.targetTags.includes('a');
      if (!isForUsAlone) expect(result).toEqual(before);
    }),
  );
});
