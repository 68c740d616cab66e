import type { Plan } from '../converge/change';
import type { FirewallRule, Instance } from '../google/compute';
import { requireRoomForTags } from '../google/limits';
import { networkPath } from '../google/resources';
import { ActionError } from '../values/errors';
import { type DesiredFirewall, newRule, type WantedRule, wantedRules } from './desired';
import { noteOn, planForeignRule } from './foreign-rule';
import { ownerOf } from './identity';
import { hasForGood, keepTag } from './lent-tag';
import { noteOtherRules } from './other-rules';
import { planOwnRule } from './own-rule';
import { resolveNames } from './resolve-names';
import { type FirewallStep, firewallStep } from './step';

/** The instance, and every rule of the project that its network is in. */
export interface FirewallState {
  readonly vm: Instance;
  readonly rules: readonly FirewallRule[];
}

/**
 * What is to be done to the standing rule and to the instance's tags. Rules of other instances, and of people, lose
 * nothing: they are left alone and named.
 *
 * @param asked names as the inputs have them; see resolveNames
 * @throws ActionError `Firewall rule of another kind`, `Firewall rule of another network`, `Firewall rule of another
 *   instance`, `Firewall rule of somebody else`, `The instance has too many network tags`
 */
export function planFirewall(asked: DesiredFirewall, { vm, rules }: FirewallState): Plan<FirewallStep> {
  const desired = { ...asked, ...resolveNames(asked, vm, rules) };
  const wanted = wantedRules(desired);
  const tags = [...vm.tags.items, desired.targetTag];
  const parts = wanted.map((rule) => planRule(rule, desired, vm, rules));
  return {
    steps: [...tagSteps(desired, vm), ...parts.flatMap(({ steps }) => steps)],
    notes: [
      ...notesOnNames(asked, desired, rules),
      ...parts.flatMap(({ notes }) => notes),
      ...noteOtherRules(rules, vm, { tags, ports: desired.ports, ours: wanted.map(({ name }) => name) }),
    ],
  };
}

/** Where nobody is to be admitted by any rule, a tag that is there does no harm. */
function tagSteps({ targetTag, runner, ranges, challenges }: DesiredFirewall, vm: Instance): FirewallStep[] {
  const admitsNobody = !runner && ranges?.length === 0 && challenges.length === 0;
  if (hasForGood(vm.tags.items, targetTag) || admitsNobody) return [];
  requireRoomForTags(vm.name, keepTag(vm.tags.items, targetTag));
  const what = `network tag ${targetTag} of ${vm.name}`;
  const why = 'firewall rules reach the instance through it';
  return [firewallStep({ kind: 'tag', tag: targetTag }, { what, from: null, to: '', why })];
}

function planRule(
  wanted: WantedRule,
  desired: DesiredFirewall,
  vm: Instance,
  rules: readonly FirewallRule[],
): Plan<FirewallStep> {
  const { name, ranges, ports } = wanted;
  const current = rules.find((rule) => rule.name === name);
  const isAsked = ranges !== null && ranges.length > 0;
  if (current === undefined) {
    return { steps: isAsked ? [addition({ ...wanted, ranges }, desired, vm)] : [], notes: [] };
  }
  if (isAsked) requireUsable(current, vm);
  const isOwn = ownerOf(current, vm) === 'this' && current.network === networkPath(vm.network);
  if (isOwn) return planOwnRule(current, wanted, desired, vm);
  if (!isAsked) return { steps: [], notes: [noteOn(current)] };
  return planForeignRule(current, ranges, { ...desired, ports }, vm);
}

function addition(
  wanted: WantedRule & { readonly ranges: readonly string[] },
  desired: DesiredFirewall,
  vm: Instance,
): FirewallStep {
  const to = `tcp:${wanted.ports.join(',')} from ${wanted.ranges.join(', ')}`;
  const action = { kind: 'insert', rule: newRule(wanted, desired, vm) } as const;
  return firewallStep(action, { what: `rule ${wanted.name}`, from: null, to, why: wanted.why });
}

function requireUsable(rule: FirewallRule, vm: Instance): void {
  const doing = `comparing firewall rule ${rule.name}`;
  const next = 'Choose another name with the input `firewall-rule`, or remove that rule';
  if (rule.network !== networkPath(vm.network)) {
    throw new ActionError('Firewall rule of another network', {
      doing,
      happened: `it belongs to ${rule.network}, and the instance is in ${networkPath(vm.network)}`,
      next,
    });
  }
  const other =
    rule.direction === 'EGRESS'
      ? 'it is for outgoing traffic'
      : rule.denied.length > 0
        ? 'it denies, and does not allow'
        : rule.targetServiceAccounts.length > 0
          ? 'it is for service accounts, which cannot stand beside a network tag'
          : rule.sourceServiceAccounts.length > 0
            ? 'it admits service accounts, which cannot stand beside a network tag'
            : null;
  if (other === null) return;
  throw new ActionError('Firewall rule of another kind', { doing, happened: other, next });
}

function notesOnNames(
  asked: DesiredFirewall,
  used: DesiredFirewall,
  rules: readonly FirewallRule[],
): string[] {
  const taken = rules.find(({ name }) => name === asked.rule);
  return [
    ...(asked.rule === used.rule
      ? []
      : [
          `${taken === undefined ? `rule ${asked.rule} is left alone` : noteOn(taken)}; the standing rule of this instance is called ${used.rule}`,
        ]),
    ...(asked.targetTag === used.targetTag
      ? []
      : [`tag ${asked.targetTag} is another instance's; the tag of this instance is ${used.targetTag}`]),
  ];
}
