import type { Target } from '../converge/converge';
import { ActionError } from '../errors';
import type { Compute, FirewallRule, Instance } from '../gcp/compute';
import type { DesiredFirewall } from './desired';
import { type FirewallState, type FirewallStep, planFirewall } from './plan';

/**
 * The firewall as a target: the standing rule and the instance's network tag.
 *
 * @param vm the instance as it was read at the start of the run, which spares a call
 * @param rules the rules of its network's project, likewise
 */
export function firewallTarget(
  compute: Compute,
  desired: DesiredFirewall,
  { vm, rules }: { readonly vm: Instance; readonly rules: Promise<readonly FirewallRule[]> },
): Target<FirewallState, FirewallStep> {
  const { project } = vm.network;
  return {
    name: 'firewall',
    read: async () => ({ vm, rules: await rules }),
    plan: (state) => planFirewall(desired, state),
    async apply({ steps }) {
      try {
        await carryOut(compute, project, steps);
      } catch (error) {
        if (!(error instanceof ActionError) || error.title !== EXISTS) throw error;
        // Two runs found no rule, and both added it: what the other one made is compared like any other.
        const { vm: now, rules: present } = await readAgain(compute, project);
        await carryOut(compute, project, planFirewall(desired, { vm: now, rules: present }).steps);
      }
      return readAgain(compute, project);
    },
  };
}

const EXISTS = 'The firewall rule exists already';

async function readAgain(compute: Compute, project: string): Promise<FirewallState> {
  const [vm, rules] = await Promise.all([compute.getInstance(), compute.listFirewallRules(project)]);
  return { vm, rules };
}

/** All at once: neither a rule nor a tag waits for another. Ends when all have ended, with the first error. */
async function carryOut(compute: Compute, project: string, steps: readonly FirewallStep[]): Promise<void> {
  const tags = steps.flatMap(({ action }) => (action.kind === 'tag' ? [action.tag] : []));
  const results = await Promise.allSettled([
    ...(tags.length > 0 ? [compute.editTags((present) => [...new Set([...present, ...tags])])] : []),
    ...ruleChanges(steps).map((change) => change(compute, project)),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

type RuleChange = (compute: Compute, project: string) => Promise<void>;

/** One call a rule: all differences of a rule go into one patch. */
function ruleChanges(steps: readonly FirewallStep[]): RuleChange[] {
  const patches = new Map<string, Partial<FirewallRule>>();
  const changes: RuleChange[] = [];
  for (const { action } of steps) {
    if (action.kind === 'insert')
      changes.push((compute, project) => compute.insertFirewallRule(project, action.rule));
    if (action.kind === 'delete')
      changes.push((compute, project) => compute.deleteFirewallRule(project, action.name));
    if (action.kind === 'patch') patches.set(action.name, { ...patches.get(action.name), ...action.fields });
  }
  for (const [name, fields] of patches) {
    changes.push((compute, project) => compute.patchFirewallRule(project, name, fields));
  }
  return changes;
}
