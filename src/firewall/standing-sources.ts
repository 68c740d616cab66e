import type { FirewallRule, Instance } from '../google/compute';
import type { DesiredFirewall } from './desired';
import { ownerOf } from './identity';
import { appliesTo, holdsPort } from './rule-match';

/**
 * The CIDRs that the standing rule admits to the registry and the UI: those that the inputs want, or those that it has
 * where the inputs say nothing of them.
 *
 * @param desired with the names as resolved
 */
export function standingSources(
  { ranges, targetTag, ports }: DesiredFirewall,
  vm: Instance,
  rules: readonly FirewallRule[],
): readonly string[] {
  if (ranges !== null) return ranges;
  return rules
    .filter(
      (rule) =>
        ownerOf(rule, vm) === 'this' &&
        appliesTo(rule, vm, [...vm.tags.items, targetTag]) &&
        ports.every((port) => holdsPort(rule.allowed, port)),
    )
    .flatMap(({ sourceRanges }) => sourceRanges);
}
