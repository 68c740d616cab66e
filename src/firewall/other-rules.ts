import type { FirewallRule, Instance } from '../google/compute';
import { isOpening } from './opening';
import { appliesTo, holdsPort, sourcesOf } from './rule-match';

/**
 * What the other rules of the network already do to the ports of an instance, a sentence a rule. Openings of runs
 * are left out.
 *
 * @param ours names of the rules that the run itself converges
 */
export function noteOtherRules(
  rules: readonly FirewallRule[],
  vm: Instance,
  { tags, ports, ours }: { tags: readonly string[]; ports: readonly number[]; ours: readonly string[] },
): string[] {
  return rules
    .filter((rule) => !ours.includes(rule.name) && !isOpening(rule) && appliesTo(rule, vm, tags))
    .flatMap((rule) => [note(rule, ports, 'allowed', 'opens'), note(rule, ports, 'denied', 'denies')])
    .filter((text) => text !== null);
}

function note(
  rule: FirewallRule,
  ports: readonly number[],
  list: 'allowed' | 'denied',
  verb: string,
): string | null {
  const held = ports.filter((port) => holdsPort(rule[list], port));
  if (held.length === 0) return null;
  const whom = list === 'allowed' ? 'to' : 'from';
  return `rule ${rule.name} already ${verb} tcp:${held.join(',')} ${whom} ${sourcesOf(rule)} (priority ${rule.priority})`;
}
