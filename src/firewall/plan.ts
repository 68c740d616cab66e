import type { Change, Plan, Step } from '../converge/change';
import type { FirewallRule, Instance, ProtocolPorts } from '../google/compute';
import { requireRoomForTags } from '../google/limits';
import { networkPath } from '../google/resources';
import { ActionError } from '../values/errors';
import { sameRanges } from '../values/ranges';
import { type DesiredFirewall, isOurs, newRule, type WantedRule, wantedRules } from './desired';
import { noteOtherRules } from './other-rules';
import { holdsPort } from './rule-match';

/** The instance, and every rule of the project that its network is in. */
export interface FirewallState {
  readonly vm: Instance;
  readonly rules: readonly FirewallRule[];
}

export type FirewallAction =
  | { readonly kind: 'insert'; readonly rule: FirewallRule }
  | { readonly kind: 'patch'; readonly name: string; readonly fields: Partial<FirewallRule> }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'tag'; readonly tag: string };

export interface FirewallStep extends Step {
  readonly action: FirewallAction;
}

/**
 * What is to be done to the standing rule and to the instance's tags. A rule that somebody else made keeps all that
 * does not stand in the way: its description, priority, logging and other ports.
 *
 * @throws ActionError `Firewall rule of another kind`, `Firewall rule of another network`, `The instance has too many
 *   network tags`
 */
export function planFirewall(desired: DesiredFirewall, { vm, rules }: FirewallState): Plan<FirewallStep> {
  const wanted = wantedRules(desired);
  const tags = [...vm.tags.items, desired.targetTag];
  const parts = wanted.map((rule) => planRule(rule, desired, vm, rules));
  return {
    steps: [...tagSteps(desired, vm), ...parts.flatMap(({ steps }) => steps)],
    notes: [
      ...parts.flatMap(({ notes }) => notes),
      ...noteOtherRules(rules, vm, { tags, ports: desired.ports, ours: wanted.map(({ name }) => name) }),
    ],
  };
}

function tagSteps({ targetTag }: DesiredFirewall, vm: Instance): FirewallStep[] {
  if (vm.tags.items.includes(targetTag)) return [];
  requireRoomForTags(vm.name, [...vm.tags.items, targetTag]);
  const why = 'firewall rules reach the instance through it';
  return [step({ kind: 'tag', tag: targetTag }, `network tag ${targetTag} of ${vm.name}`, null, '', why)];
}

function planRule(
  wanted: WantedRule,
  desired: DesiredFirewall,
  vm: Instance,
  rules: readonly FirewallRule[],
): Plan<FirewallStep> {
  const current = rules.find(({ name }) => name === wanted.name);
  if (wanted.ranges.length === 0) return current === undefined ? NOTHING : planUnwanted(current);
  if (current === undefined) {
    const rule = newRule(wanted, desired, vm);
    const to = `tcp:${desired.ports.join(',')} from ${wanted.ranges.join(', ')}`;
    const why = 'source-ranges names these networks';
    return { steps: [step({ kind: 'insert', rule }, `rule ${wanted.name}`, null, to, why)], notes: [] };
  }
  requireUsable(current, vm);
  return { steps: differences(current, wanted, desired), notes: notesOn(current) };
}

const NOTHING: Plan<FirewallStep> = { steps: [], notes: [] };

/** A rule that no input asks for any more must not stay open; one that is not ours is not ours to close. */
function planUnwanted(current: FirewallRule): Plan<FirewallStep> {
  if (!isOurs(current)) {
    return {
      steps: [],
      notes: [`rule ${current.name} exists, was not made by this action, and is left alone`],
    };
  }
  const from = current.sourceRanges.join(', ');
  const why = 'source-ranges names no network any more';
  return {
    steps: [step({ kind: 'delete', name: current.name }, `rule ${current.name}`, from, null, why)],
    notes: [],
  };
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

function differences(current: FirewallRule, wanted: WantedRule, desired: DesiredFirewall): FirewallStep[] {
  const { name } = current;
  const patch = (what: string, fields: Partial<FirewallRule>, from: string, to: string, why: string) =>
    step({ kind: 'patch', name, fields }, `${what} of rule ${name}`, from, to, why);
  const steps: FirewallStep[] = [];

  const allowed = wantedPorts(current, desired);
  const [from, to] = [describePorts(current.allowed), describePorts(allowed)];
  if (from !== to) {
    steps.push(patch('ports', { allowed }, from, to, `the instance serves tcp:${desired.ports.join(',')}`));
  }
  if (!sameRanges(current.sourceRanges, wanted.ranges)) {
    const [before, after] = [current.sourceRanges.join(', '), wanted.ranges.join(', ')];
    steps.push(patch('sources', { sourceRanges: wanted.ranges }, before, after, 'source-ranges says so'));
  }
  if (!current.targetTags.includes(desired.targetTag)) {
    const targetTags = [...current.targetTags, desired.targetTag];
    const before = current.targetTags.join(', ') || 'every instance of the network';
    const why = 'the rule is for this instance, and reaches it through its tag';
    steps.push(patch('targets', { targetTags }, before, targetTags.join(', '), why));
  }
  if (current.disabled) {
    steps.push(patch('state', { disabled: false }, 'disabled', 'enabled', 'a disabled rule admits nobody'));
  }
  return steps;
}

/**
 * A rule that somebody else made keeps its other ports. One of ours has no others: after a change of `registry-port` the
 * old port must not stay open.
 */
function wantedPorts(current: FirewallRule, { ports }: DesiredFirewall): readonly ProtocolPorts[] {
  const missing = ports.filter((port) => !holdsPort(current.allowed, port));
  if (!isOurs(current)) return missing.length > 0 ? withPorts(current.allowed, missing) : current.allowed;
  const exact = [{ protocol: 'tcp', ports: ports.map(String) }];
  return sameItems(portItems(current.allowed), portItems(exact)) ? current.allowed : exact;
}

/** Each protocol and port by itself, since neither their order nor how they are grouped matters. */
function portItems(allowed: readonly ProtocolPorts[]): string[] {
  return allowed.flatMap(({ protocol, ports }) =>
    ports.length === 0 ? [protocol] : ports.map((port) => `${protocol}:${port}`),
  );
}

function sameItems(left: readonly string[], right: readonly string[]): boolean {
  const [a, b] = [new Set(left), new Set(right)];
  return a.size === b.size && [...a].every((item) => b.has(item));
}

/** The same rule with more TCP ports. */
function withPorts(allowed: readonly ProtocolPorts[], ports: readonly number[]): ProtocolPorts[] {
  const added = ports.map(String);
  const index = allowed.findIndex(({ protocol }) => protocol === 'tcp');
  if (index < 0) return [...allowed, { protocol: 'tcp', ports: added }];
  return allowed.map((entry, at) => (at === index ? { ...entry, ports: [...entry.ports, ...added] } : entry));
}

function describePorts(allowed: readonly ProtocolPorts[]): string {
  return allowed
    .map(({ protocol, ports }) => (ports.length === 0 ? protocol : `${protocol}:${ports.join(',')}`))
    .join(' ');
}

/** Sources beside CIDRs admit in addition to them: in Compute the two are alternatives, not a narrowing. */
function notesOn({ name, sourceTags }: FirewallRule): string[] {
  if (sourceTags.length === 0) return [];
  return [
    `rule ${name} also admits the instances tagged ${sourceTags.join(', ')}: source tags widen a rule, and never ` +
      'narrow it; this action leaves them alone',
  ];
}

function step(
  action: FirewallAction,
  what: string,
  from: string | null,
  to: string | null,
  why: string,
): FirewallStep {
  const change: Change = { target: 'firewall', what, from, to, why };
  return { change, action };
}
