import type { Plan } from '../converge/change';
import type { Target } from '../converge/target';
import { type Compute, type FirewallRule, type Instance, NOT_FOUND, RULE_EXISTS } from '../google/compute';
import { hasCode } from '../values/errors';
import type { DesiredFirewall } from './desired';
import { dropTag, hasForGood, keepTag } from './lent-tag';
import { type FirewallState, planFirewall } from './plan';
import type { FirewallNames } from './resolve-names';
import type { FirewallStep } from './step';
import { planFirewallTeardown } from './teardown';

/**
 * The firewall as a target: the standing rule and the instance's network tag.
 *
 * @param site.vm the instance as it was read at the start of the run, which spares the first reading a call
 * @param site.rules the rules of its network's project, likewise
 */
export function firewallTarget(
  compute: Compute,
  desired: DesiredFirewall,
  { vm, rules }: { readonly vm: Instance; readonly rules: Promise<readonly FirewallRule[]> },
): Target<FirewallState, FirewallStep> {
  return targetOf(compute, (state) => planFirewall(desired, state), { vm, rules });
}

/** The firewall of an instance whose registry is torn down, as a target; `names` as the inputs have them. */
export function firewallTeardownTarget(
  compute: Compute,
  names: FirewallNames,
  site: { readonly vm: Instance; readonly rules: Promise<readonly FirewallRule[]> },
): Target<FirewallState, FirewallStep> {
  return targetOf(compute, (state) => planFirewallTeardown(names, state), site);
}

function targetOf(
  compute: Compute,
  plan: (state: FirewallState) => Plan<FirewallStep>,
  { vm, rules }: { readonly vm: Instance; readonly rules: Promise<readonly FirewallRule[]> },
): Target<FirewallState, FirewallStep> {
  const { project } = vm.network;
  let first: Promise<FirewallState> | null = rules.then((given) => ({ vm, rules: given }));
  first.catch(() => undefined);
  return {
    name: 'firewall',
    read() {
      const reading = first ?? readNow(compute, project);
      first = null;
      return reading;
    },
    plan,
    async apply(_before, { steps }) {
      const { done, errors } = await send(compute, project, steps);
      for (const error of errors) if (!isOutdated(error)) throw error;
      const state = await readNow(compute, project);
      if (errors.length > 0) return { kind: 'outdated', done, state };
      const left = plan(state).steps;
      return { kind: isOvertaken(steps, left) ? 'overtaken' : 'applied', done, state };
    },
  };
}

/** Two runs found no rule, and both added it; or a rule that was to be changed is gone. */
function isOutdated(error: unknown): boolean {
  return hasCode(error, RULE_EXISTS) || hasCode(error, NOT_FOUND);
}

/**
 * Whether what differs after the changes were made was changed by somebody else since: then it is not as it was before
 * them either. No lock keeps two runs from one rule, so the later change stands.
 */
function isOvertaken(planned: readonly FirewallStep[], left: readonly FirewallStep[]): boolean {
  const isUnchanged = ({ change }: FirewallStep) =>
    planned.some((step) => step.change.what === change.what && step.change.from === change.from);
  return left.length > 0 && !left.some(isUnchanged);
}

async function readNow(compute: Compute, project: string): Promise<FirewallState> {
  const [vm, rules] = await Promise.all([compute.getInstance(), compute.listFirewallRules(project)]);
  return { vm, rules };
}

/** What was changed, and what went wrong. */
interface Sent {
  readonly done: readonly FirewallStep[];
  readonly errors: readonly unknown[];
}

/** All at once: neither a rule nor a tag waits for another. Ends when all have ended. */
async function send(compute: Compute, project: string, steps: readonly FirewallStep[]): Promise<Sent> {
  const tags = steps.filter(({ action }) => action.kind === 'tag');
  const results = await Promise.allSettled([
    ...(tags.length > 0 ? [addTags(compute, tags)] : []),
    ...steps.flatMap((step) =>
      step.action.kind === 'untag' ? [removeTag(compute, step, step.action.tag)] : [],
    ),
    ...ruleChanges(steps).map(async (change) => {
      await change.send(compute, project);
      return change.of;
    }),
  ]);
  return {
    done: results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
    errors: results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])),
  };
}

/** Returns the steps whose tag was not there: another run may have been faster. */
async function addTags(compute: Compute, steps: readonly FirewallStep[]): Promise<readonly FirewallStep[]> {
  let missing = steps;
  await compute.editTags((present) => {
    missing = steps.filter(({ action }) => action.kind === 'tag' && !hasForGood(present, action.tag));
    const tags = missing.flatMap(({ action }) => (action.kind === 'tag' ? [action.tag] : []));
    return tags.reduce(keepTag, present);
  });
  return missing;
}

async function removeTag(
  compute: Compute,
  step: FirewallStep,
  tag: string,
): Promise<readonly FirewallStep[]> {
  await compute.editTags((present) => dropTag(present, tag));
  return [step];
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
