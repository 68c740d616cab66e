import type { Plan } from '../converge/change';
import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';
import { defaultTargetTag, nameOfOne } from '../values/names';
import { identityOf, ownerOf } from './identity';
import type { FirewallState } from './plan';
import { type FirewallNames, resolveNames } from './resolve-names';
import { type FirewallStep, firewallStep } from './step';

/**
 * Removes the standing rules of an instance, and its network tag. A tag that somebody else's rule or the opening of a run
 * needs stays, and so does one that the inputs name: it may have been there before.
 *
 * @param asked names as the inputs have them; see resolveNames
 */
export function planFirewallTeardown(asked: FirewallNames, { vm, rules }: FirewallState): Plan<FirewallStep> {
  const network = rules.filter((rule) => rule.network === networkPath(vm.network));
  const own = network.filter((rule) => ownerOf(rule, vm) === 'this');
  const { targetTag } = resolveNames(asked, vm, rules);
  const holder = network.find((rule) => !own.includes(rule) && rule.targetTags.includes(targetTag));
  const steps = own.map(removal);
  if (!vm.tags.items.includes(targetTag)) return { steps, notes: [] };
  const whyStays = isNamedByInputs(targetTag, vm)
    ? 'the input `target-tag` names it, so it may have been there before'
    : holder === undefined
      ? null
      : `rule ${holder.name} needs it`;
  if (whyStays !== null)
    return { steps, notes: [`network tag ${targetTag} of ${vm.name} stays: ${whyStays}`] };
  return { steps: [...steps, untag(targetTag, vm)], notes: [] };
}

function isNamedByInputs(tag: string, vm: Instance): boolean {
  const plain = defaultTargetTag(vm.name);
  return tag !== plain && tag !== nameOfOne(vm.name, identityOf(vm));
}

function removal(rule: FirewallRule): FirewallStep {
  return firewallStep(
    { kind: 'delete', name: rule.name },
    {
      what: `rule ${rule.name}`,
      from: rule.sourceRanges.join(', '),
      to: null,
      why: 'the registry is torn down',
      ...(rule.disabled ? {} : { takesAccess: true }),
    },
  );
}

function untag(tag: string, vm: Instance): FirewallStep {
  return firewallStep(
    { kind: 'untag', tag },
    {
      what: `network tag ${tag} of ${vm.name}`,
      from: '',
      to: null,
      why: 'no rule reaches the instance through it',
    },
  );
}
