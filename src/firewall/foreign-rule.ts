import type { Plan } from '../converge/change';
import type { FirewallRule, Instance } from '../google/compute';
import { ActionError } from '../values/errors';
import { isWithin, sameRanges } from '../values/ranges';
import type { DesiredFirewall } from './desired';
import { instanceOf } from './identity';
import { notesOn } from './own-rule';
import { describePorts, withPorts } from './ports';
import { appliesTo, holdsPort, sourcesOf } from './rule-match';
import { type FirewallStep, patchStep } from './step';

/**
 * What is to be done where the name of the standing rule is that of a rule which is not this instance's. One that does
 * what is wanted is left as it is. One whose only target is this instance's tag gets what is missing, where that takes
 * nothing from anybody: other instances are not touched by it, and all who were admitted still are.
 *
 * @throws ActionError `Firewall rule of another instance`, `Firewall rule of somebody else`
 */
export function planForeignRule(
  current: FirewallRule,
  ranges: readonly string[],
  desired: DesiredFirewall,
  vm: Instance,
): Plan<FirewallStep> {
  const notes = [noteOn(current), ...notesOn(current)];
  if (serves(current, ranges, desired, vm)) return { steps: [], notes };
  const other = instanceOf(current);
  if (other !== null) throw ofAnotherInstance(current, other);
  const obstacle = obstacleOf(current, ranges, desired, vm);
  if (obstacle !== null) throw ofSomebodyElse(current, obstacle, desired);
  return { steps: extension(current, ranges, desired), notes };
}

/** A rule that is not this instance's, in a sentence; nothing is done to it. */
export function noteOn(rule: FirewallRule): string {
  const other = instanceOf(rule);
  return other === null
    ? `rule ${rule.name} exists, was not made by this action, and keeps all that it has`
    : `rule ${rule.name} is of ${other}, and is left alone`;
}

function serves(
  rule: FirewallRule,
  ranges: readonly string[],
  { ports, targetTag }: DesiredFirewall,
  vm: Instance,
): boolean {
  return (
    appliesTo(rule, vm, [...vm.tags.items, targetTag]) &&
    ports.every((port) => holdsPort(rule.allowed, port)) &&
    sameRanges(rule.sourceRanges, ranges)
  );
}

/** Why a rule cannot get what is missing without a change for others; null where it can. */
function obstacleOf(
  rule: FirewallRule,
  ranges: readonly string[],
  { targetTag }: DesiredFirewall,
  vm: Instance,
): string | null {
  const others = rule.targetTags.filter((tag) => tag !== targetTag);
  if (rule.targetTags.length === 0) {
    return `it is for every instance of network ${vm.network.name}: to narrow it to this one cuts the others off, and to widen it opens them`;
  }
  if (others.length > 0) return `it is for instances tagged ${others.join(', ')} as well, or instead`;
  if (isWithin(rule.sourceRanges, ranges)) return null;
  return `it admits ${sourcesOf(rule)}, and source-ranges names less: to narrow it cuts somebody off`;
}

function extension(
  current: FirewallRule,
  ranges: readonly string[],
  desired: DesiredFirewall,
): FirewallStep[] {
  const steps: FirewallStep[] = [];
  const allowed = withPorts(current.allowed, desired.ports);
  if (allowed !== current.allowed) {
    const [from, to] = [describePorts(current.allowed), describePorts(allowed)];
    const why = `the instance serves tcp:${desired.ports.join(',')}`;
    steps.push(patchStep(current, { allowed }, { what: 'ports', from, to, why }));
  }
  if (!sameRanges(current.sourceRanges, ranges)) {
    const [from, to] = [current.sourceRanges.join(', '), ranges.join(', ')];
    const change = { what: 'sources', from, to, why: 'source-ranges says so' };
    steps.push(patchStep(current, { sourceRanges: ranges }, change));
  }
  if (current.disabled) {
    const why = 'a disabled rule admits nobody';
    const change = { what: 'state', from: 'disabled', to: 'enabled', why };
    steps.push(patchStep(current, { disabled: false }, change));
  }
  return steps;
}

function ofAnotherInstance({ name }: FirewallRule, other: string): ActionError {
  return new ActionError('Firewall rule of another instance', {
    doing: `comparing firewall rule ${name}`,
    happened: `its description says that it is of ${other}`,
    next: 'Leave `firewall-rule` away, or name another rule in it; or delete that rule, where its instance is gone',
  });
}

function ofSomebodyElse(
  { name }: FirewallRule,
  happened: string,
  { targetTag }: DesiredFirewall,
): ActionError {
  return new ActionError('Firewall rule of somebody else', {
    doing: `comparing firewall rule ${name}, which this action has not made`,
    happened,
    next:
      'Either leave that rule as it is, and let this action make its own: leave `firewall-rule` away, or give it another name. ' +
      `Or change that rule yourself, so that its only target is the tag ${targetTag}, and its sources are those of source-ranges or fewer`,
  });
}
