import type { Plan } from '../converge/change';
import type { FirewallRule, Instance } from '../google/compute';
import { isWithin, sameRanges } from '../values/ranges';
import type { DesiredFirewall, WantedRule } from './desired';
import { isNamedInFull, standingDescription } from './identity';
import { describePorts, exactPorts } from './ports';
import { type FirewallStep, firewallStep, patchStep } from './step';

/** What is to be done to a standing rule of this instance. With `wanted.ranges` null its sources stay, and whether it is in force. */
export function planOwnRule(
  current: FirewallRule,
  wanted: WantedRule,
  desired: DesiredFirewall,
  vm: Instance,
): Plan<FirewallStep> {
  const { ranges } = wanted;
  if (ranges?.length === 0) return { steps: [removal(current, wanted)], notes: [] };
  const steps = [
    described(current, wanted, vm),
    ports(current, wanted),
    ranges === null ? null : sources(current, ranges, wanted),
    targets(current, desired),
    ranges === null ? null : enabled(current),
  ].filter((step) => step !== null);
  return { steps, notes: notesOn(current) };
}

/** A rule that the inputs do not want any more must not stay open. */
function removal(current: FirewallRule, { purpose, whyGone }: WantedRule): FirewallStep {
  return firewallStep(
    { kind: 'delete', name: current.name },
    {
      what: `rule ${current.name}`,
      from: current.sourceRanges.join(', '),
      to: null,
      why: whyGone,
      ...(current.disabled || purpose === 'challenges' ? {} : { takesAccess: true }),
    },
  );
}

/** Of an older rule; words that people have added behind it stay. */
function described(current: FirewallRule, { purpose }: WantedRule, vm: Instance): FirewallStep | null {
  if (isNamedInFull(current, vm)) return null;
  return patchStep(
    current,
    { description: standingDescription(vm, purpose) },
    {
      what: 'description',
      from: 'the name of the instance',
      to: 'its project, zone and name',
      why: 'instances of other zones and projects can have the same name',
    },
  );
}

/** After a change of `registry-port` the old port must not stay open. */
function ports(current: FirewallRule, wanted: WantedRule): FirewallStep | null {
  const allowed = exactPorts(current.allowed, wanted.ports);
  if (allowed === current.allowed) return null;
  return patchStep(
    current,
    { allowed },
    {
      what: 'ports',
      from: describePorts(current.allowed),
      to: describePorts(allowed),
      why: `the instance serves tcp:${wanted.ports.join(',')}`,
    },
  );
}

function sources(
  current: FirewallRule,
  ranges: readonly string[],
  { purpose, why }: WantedRule,
): FirewallStep | null {
  if (sameRanges(current.sourceRanges, ranges)) return null;
  return patchStep(
    current,
    { sourceRanges: ranges },
    {
      what: 'sources',
      from: current.sourceRanges.join(', '),
      to: ranges.join(', '),
      why: purpose === 'access' ? 'source-ranges says so' : why,
      ...(current.disabled || isWithin(current.sourceRanges, ranges) ? {} : { takesAccess: true }),
    },
  );
}

function targets(current: FirewallRule, { targetTag }: DesiredFirewall): FirewallStep | null {
  if (current.targetTags.includes(targetTag)) return null;
  const targetTags = [...current.targetTags, targetTag];
  return patchStep(
    current,
    { targetTags },
    {
      what: 'targets',
      from: current.targetTags.join(', ') || 'every instance of the network',
      to: targetTags.join(', '),
      why: 'the rule is for this instance, and reaches it through its tag',
    },
  );
}

function enabled(current: FirewallRule): FirewallStep | null {
  if (!current.disabled) return null;
  return patchStep(
    current,
    { disabled: false },
    { what: 'state', from: 'disabled', to: 'enabled', why: 'a disabled rule admits nobody' },
  );
}

/** Sources beside CIDRs admit in addition to them: in Compute the two are alternatives, not a narrowing. */
export function notesOn({ name, sourceTags }: FirewallRule): string[] {
  if (sourceTags.length === 0) return [];
  return [
    `rule ${name} also admits the instances tagged ${sourceTags.join(', ')}: source tags widen a rule, and never ` +
      'narrow it; this action leaves them alone',
  ];
}
