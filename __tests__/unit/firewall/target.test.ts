import { converge, survey } from '../../../src/converge/converge';
import { firewallTarget } from '../../../src/firewall/target';
import { type Compute, type FirewallRule, NOT_FOUND, RULE_EXISTS } from '../../../src/google/compute';
import { ActionError } from '../../../src/values/errors';
import { fakeLog } from '../google/fakes';
import { DESIRED, rule, VM } from './fixtures';

/** A project with these rules, and what was done to it. */
function project(rules: FirewallRule[], vm = VM) {
  const calls: string[] = [];
  const log = fakeLog();
  let tags = vm.tags.items;
  const compute: Partial<Compute> = {
    getInstance: async () => ({ ...vm, tags: { ...vm.tags, items: tags } }),
    listFirewallRules: async (name) => {
      calls.push(`list ${name}`);
      return [...rules];
    },
    async editTags(edit) {
      tags = edit(tags);
      calls.push(`tags ${tags.join()}`);
    },
    async insertFirewallRule(name, added) {
      calls.push(`insert ${name}/${added.name}`);
      if (rules.some((present) => present.name === added.name)) {
        throw new ActionError(
          'The firewall rule exists already',
          { doing: '', happened: '', next: '' },
          { code: RULE_EXISTS },
        );
      }
      rules.push(added);
    },
    async patchFirewallRule(name, target, fields) {
      calls.push(`patch ${name}/${target} ${Object.keys(fields).join()}`);
      const at = rules.findIndex((present) => present.name === target);
      rules[at] = { ...(rules[at] as FirewallRule), ...fields };
    },
  };
  const target = (seen: readonly FirewallRule[]) =>
    firewallTarget(compute as Compute, DESIRED, { vm, rules: Promise.resolve(seen) });
  /** Converges from what was read before; the state afterwards must call for nothing. */
  const settle = async (seen: readonly FirewallRule[]) => {
    const firewall = target(seen);
    const outcome = await converge(await survey(firewall, { log, sleep: async () => undefined }));
    return { ...outcome, left: firewall.plan(outcome.state).steps };
  };
  return { calls, rules, target, settle, compute, log };
}

test('the rule goes into the project of the network, and the other tags stay', async () => {
  const vm = { ...VM, tags: { items: ['http'], fingerprint: 'f' } };
  const { calls, settle } = project([], vm);
  expect((await settle([])).left).toEqual([]);
  expect(calls).toEqual(['tags http,web-1-registry', 'insert host/web-1-registry', 'list host']);
});

test('the first reading takes what was read already, the next one asks', async () => {
  const { calls, target } = project([rule({})]);
  const firewall = target([]);
  expect((await firewall.read()).rules).toEqual([]);
  expect((await firewall.read()).rules).toHaveLength(1);
  expect(calls).toEqual(['list host']);
});

test('all differences of a rule go into one patch', async () => {
  const present = [rule({ disabled: true, sourceRanges: ['192.0.2.0/25'] })];
  const { calls, settle } = project(present);
  await settle([...present]);
  expect(calls[0]).toBe('patch host/web-1-registry sourceRanges,disabled');
});

test('a rule that another run added in the meantime is compared', async () => {
  const { calls, settle } = project([rule({ allowed: [{ protocol: 'tcp', ports: ['5000'] }] })]);
  const { changes, left } = await settle([]);
  expect(calls).toEqual([
    'insert host/web-1-registry',
    'list host',
    'patch host/web-1-registry allowed',
    'list host',
  ]);
  expect(left).toEqual([]);
  expect(changes.map(({ what }) => what)).toEqual(['ports of rule web-1-registry']);
});

test('a rule that somebody removed in the meantime is made anew', async () => {
  const { calls, compute, settle } = project([]);
  compute.patchFirewallRule = async () => {
    throw new ActionError(
      'Not found in Google Cloud',
      { doing: '', happened: '', next: '' },
      { code: NOT_FOUND },
    );
  };
  const { changes, left } = await settle([rule({ disabled: true })]);
  expect(calls).toEqual(['list host', 'insert host/web-1-registry', 'list host']);
  expect(left).toEqual([]);
  expect(changes.map(({ what }) => what)).toEqual(['rule web-1-registry']);
});

test('a tag that another run added in the meantime is no change of this one', async () => {
  const { target } = project([rule({})]);
  const firewall = target([rule({})]);
  const before = { vm: { ...VM, tags: { items: [], fingerprint: 'old' } }, rules: [rule({})] };
  const plan = firewall.plan(before);
  expect(plan.steps).toHaveLength(1);
  expect(await firewall.apply(before, plan)).toMatchObject({ kind: 'applied', done: [] });
});

test('an error that nobody else explains is thrown, after all calls have ended', async () => {
  const { calls, compute, settle } = project([], { ...VM, tags: { items: [], fingerprint: 'f' } });
  compute.insertFirewallRule = async () => Promise.reject(new Error('quota'));
  await expect(settle([])).rejects.toThrow('quota');
  expect(calls).toEqual(['tags web-1-registry']);
});

describe('a rule that differs although it was changed', () => {
  const present = () => rule({ sourceRanges: ['192.0.2.0/25'] });

  test('was changed by somebody else since: that stands, and is said', async () => {
    const { compute, rules, log, settle } = project([present()]);
    compute.patchFirewallRule = async () => {
      rules[0] = rule({ sourceRanges: ['192.0.2.0/26'] });
    };
    expect((await settle([present()])).left).toHaveLength(1);
    expect(log.lines.join()).toMatch(/the later change stands\..*sources of rule .*192\.0\.2\.0\/26/);
  });

  test('is as it was before: then the change did nothing', async () => {
    const { compute, settle } = project([present()]);
    compute.patchFirewallRule = async () => undefined;
    await expect(settle([present()])).rejects.toThrow('Not converged');
  });
});
