import type { FirewallRule, Instance, ProtocolPorts } from '../google/compute';
import { networkPath } from '../google/resources';

/** Whether a list of protocols and ports, `allowed` or `denied`, holds a TCP port. */
export function holdsPort(entries: readonly ProtocolPorts[], port: number): boolean {
  return entries.some(({ protocol, ports }) => {
    if (protocol === 'all') return true;
    // 6 is TCP's number; a rule may give either.
    if (protocol !== 'tcp' && protocol !== '6') return false;
    return ports.length === 0 || ports.some((range) => inRange(range, port));
  });
}

function inRange(range: string, port: number): boolean {
  const [first = '', last = first] = range.split('-');
  return Number(first) <= port && port <= Number(last);
}

/**
 * Whether an ingress rule is in force for an instance that has `tags`. A rule for service accounts is taken to be:
 * whether it really is depends on the account of the instance.
 */
export function appliesTo(rule: FirewallRule, vm: Instance, tags: readonly string[]): boolean {
  if (rule.disabled || rule.direction !== 'INGRESS' || rule.network !== networkPath(vm.network)) return false;
  if (rule.targetServiceAccounts.length > 0) return true;
  return rule.targetTags.length === 0 || rule.targetTags.some((tag) => tags.includes(tag));
}

/** Where a rule admits from, in words. */
export function sourcesOf({ sourceRanges, sourceTags, sourceServiceAccounts }: FirewallRule): string {
  return [
    ...sourceRanges,
    ...sourceTags.map((tag) => `instances tagged ${tag}`),
    ...sourceServiceAccounts.map((account) => `instances of ${account}`),
  ].join(', ');
}
