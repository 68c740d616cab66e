import { firewallTarget } from '../../../src/firewall/target';
import type { Compute, FirewallRule } from '../../../src/google/compute';
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
        throw new ActionError('The firewall rule exists already', { doing: '', happened: '', next: '' });
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
    firewallTarget(compute as Compute, DESIRED, { vm, rules: Promise.resolve(seen), log });
  return { calls, rules, target, compute, log };
}

test('the rule goes into the project of the network, and the other tags stay', async () => {
  const vm = { ...VM, tags: { items: ['http'], fingerprint: 'f' } };
  const { calls, target } = project([], vm);
  const firewall = target([]);
  const after = await firewall.apply(firewall.plan(await firewall.read()));
  expect(calls).toEqual(['tags http,web-1-registry', 'insert host/web-1-registry', 'list host']);
  expect(firewall.plan(after.state).steps).toEqual([]);
});

test('all differences of a rule go into one patch', async () => {
  const present = [rule({ disabled: true, sourceRanges: ['10.0.0.0/8'], targetTags: [] })];
  const { calls, target } = project(present);
  const firewall = target([...present]);
  await firewall.apply(firewall.plan(await firewall.read()));
  expect(calls[0]).toBe('patch host/web-1-registry sourceRanges,targetTags,disabled');
});

test('a rule that another run added in the meantime is compared', async () => {
  const { calls, target } = project([rule({ allowed: [{ protocol: 'tcp', ports: ['5000'] }] })]);
  const firewall = target([]);
  const after = await firewall.apply(firewall.plan(await firewall.read()));
  expect(calls).toEqual([
    'insert host/web-1-registry',
    'list host',
    'patch host/web-1-registry allowed',
    'list host',
  ]);
  expect(firewall.plan(after.state).steps).toEqual([]);
  expect(after.plan.steps.map(({ action }) => action.kind)).toEqual(['patch']);
});

test('a tag that another run added in the meantime is no change of this one', async () => {
  const { target } = project([rule({})]);
  const firewall = target([rule({})]);
  const before = { vm: { ...VM, tags: { items: [], fingerprint: 'old' } }, rules: [rule({})] };
  const plan = firewall.plan(before);
  expect(plan.steps).toHaveLength(1);
  expect((await firewall.apply(plan)).plan.steps).toEqual([]);
});

describe('a rule that differs although it was changed', () => {
  const present = () => rule({ sourceRanges: ['10.0.0.0/8'] });

  test('was changed by somebody else since: that stands, and is said', async () => {
    const { compute, rules, log, target } = project([present()]);
    const firewall = target([present()]);
    compute.patchFirewallRule = async () => {
      rules[0] = rule({ sourceRanges: ['198.18.0.0/15'] });
    };
    const plan = firewall.plan(await firewall.read());
    expect(await firewall.apply(plan)).toMatchObject({ overtaken: true });
    expect(log.lines.join()).toMatch(/the later change stands\..*sources of rule .*198\.18\.0\.0\/15/);
  });

  test('is as it was before: then the change did nothing', async () => {
    const { compute, target } = project([present()]);
    const firewall = target([present()]);
    compute.patchFirewallRule = async () => undefined;
    expect(await firewall.apply(firewall.plan(await firewall.read()))).toMatchObject({ overtaken: false });
  });
});
