import type { Target } from '../converge/converge';
import { describeChange } from '../converge/describe';
import type { Compute, FirewallRule, Instance } from '../google/compute';
import type { Log } from '../job/log';
import { ActionError } from '../values/errors';
import type { DesiredFirewall } from './desired';
import { type FirewallState, type FirewallStep, planFirewall } from './plan';

/**
 * The firewall as a target: the standing rule and the instance's network tag.
 *
 * @param site.vm the instance as it was read at the start of the run, which spares a call
 * @param site.rules the rules of its network's project, likewise
 */
export function firewallTarget(
  compute: Compute,
  desired: DesiredFirewall,
  {
    vm,
    rules,
    log,
  }: { readonly vm: Instance; readonly rules: Promise<readonly FirewallRule[]>; readonly log: Log },
): Target<FirewallState, FirewallStep> {
  const { project } = vm.network;
  return {
    name: 'firewall',
    read: async () => ({ vm, rules: await rules }),
    plan: (state) => planFirewall(desired, state),
    async apply(plan) {
      let { done, error } = await carryOut(compute, project, plan.steps);
      if (error instanceof ActionError && error.title === EXISTS) {
        // Two runs found no rule, and both added it: what the other one made is compared like any other.
        const { steps } = planFirewall(desired, await readAgain(compute, project));
        const again = await carryOut(compute, project, steps);
        done = [...done, ...again.done];
        error = again.error;
      }
      if (error !== undefined) throw error;
      const state = await readAgain(compute, project);
      const left = planFirewall(desired, state).steps;
      return { state, plan: { ...plan, steps: done }, overtaken: isOvertaken(plan.steps, left, log) };
    },
  };
}

/**
 * Whether what differs after the changes were made was changed by somebody else since: then it is not as it was before
 * them either. No lock keeps two runs from one rule, so the later change stands.
 */
function isOvertaken(planned: readonly FirewallStep[], left: readonly FirewallStep[], log: Log): boolean {
  const isUnchanged = ({ change }: FirewallStep) =>
    planned.some((step) => step.change.what === change.what && step.change.from === change.from);
  if (left.length === 0 || left.some(isUnchanged)) return false;
  for (const { change } of left) {
    log.warning(
      `Another run, or a person, changed the firewall after this run, and the later change stands. ` +
        `What this run wanted: ${describeChange(change)}`,
    );
  }
  return true;
}

const EXISTS = 'The firewall rule exists already';

async function readAgain(compute: Compute, project: string): Promise<FirewallState> {
  const [vm, rules] = await Promise.all([compute.getInstance(), compute.listFirewallRules(project)]);
  return { vm, rules };
}

/** What was changed, and the first error; undefined without one. */
interface Carried {
  readonly done: readonly FirewallStep[];
  readonly error: unknown;
}

/** All at once: neither a rule nor a tag waits for another. Ends when all have ended. */
async function carryOut(compute: Compute, project: string, steps: readonly FirewallStep[]): Promise<Carried> {
  const tags = steps.filter(({ action }) => action.kind === 'tag');
  const results = await Promise.allSettled([
    ...(tags.length > 0 ? [addTags(compute, tags)] : []),
    ...ruleChanges(steps).map(async ({ send, of }) => {
      await send(compute, project);
      return of;
    }),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  return {
    done: results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
    error: failed?.reason,
  };
}

/** Returns the steps whose tag was not there: another run may have been faster. */
async function addTags(compute: Compute, steps: readonly FirewallStep[]): Promise<readonly FirewallStep[]> {
  let missing = steps;
  await compute.editTags((present) => {
    missing = steps.filter(({ action }) => action.kind === 'tag' && !present.includes(action.tag));
    return [...present, ...missing.flatMap(({ action }) => (action.kind === 'tag' ? [action.tag] : []))];
  });
  return missing;
}

/** One call, and the steps that it carries out. */
interface RuleChange {
  readonly of: readonly FirewallStep[];
  readonly send: (compute: Compute, project: string) => Promise<void>;
}

/** One call a rule: all differences of a rule go into one patch. */
function ruleChanges(steps: readonly FirewallStep[]): RuleChange[] {
  const patches = new Map<string, { of: FirewallStep[]; fields: Partial<FirewallRule> }>();
  const changes: RuleChange[] = [];
  for (const step of steps) {
    const { action } = step;
    if (action.kind === 'insert')
      changes.push({
        of: [step],
        send: (compute, project) => compute.insertFirewallRule(project, action.rule),
      });
    if (action.kind === 'delete')
      changes.push({
        of: [step],
        send: async (compute, project) => {
          await compute.deleteFirewallRule(project, action.name);
        },
      });
    if (action.kind === 'patch') {
      const before = patches.get(action.name);
      patches.set(action.name, {
        of: [...(before?.of ?? []), step],
        fields: { ...before?.fields, ...action.fields },
      });
    }
  }
  for (const [name, { of, fields }] of patches) {
    changes.push({ of, send: (compute, project) => compute.patchFirewallRule(project, name, fields) });
  }
  return changes;
}
