import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';
import type { FirewallInput } from '../settings/types';
import { ipv6RuleName } from '../values/names';
import { isIPv6Range } from '../values/ranges';

const MARK = 'Managed by gce-registry-action.';

/** What the firewall should be like. */
export interface DesiredFirewall extends Pick<FirewallInput, 'rule' | 'targetTag' | 'ranges'> {
  /** TCP ports of the registry and of the UI. */
  readonly ports: readonly number[];
}

/** A standing rule as it would be made; without ranges it is not wanted. */
export interface WantedRule {
  readonly name: string;
  readonly ranges: readonly string[];
}

/**
 * The standing rules: one for IPv4 under the given name, and one beside it for IPv6, since no rule takes both.
 *
 * https://cloud.google.com/firewall/docs/firewalls#sources_for_ingress
 */
export function wantedRules({ rule, ranges }: DesiredFirewall): WantedRule[] {
  return [
    { name: rule, ranges: ranges.filter((range) => !isIPv6Range(range)) },
    { name: ipv6RuleName(rule), ranges: ranges.filter(isIPv6Range) },
  ];
}

/** A rule that does not exist yet. */
export function newRule(wanted: WantedRule, desired: DesiredFirewall, vm: Instance): FirewallRule {
  return {
    name: wanted.name,
    network: networkPath(vm.network),
    description: `Docker registry and its web UI on instance ${vm.name}. ${MARK}`,
    direction: 'INGRESS',
    priority: 1000,
    disabled: false,
    sourceRanges: wanted.ranges,
    sourceTags: [],
    sourceServiceAccounts: [],
    targetTags: [desired.targetTag],
    targetServiceAccounts: [],
    allowed: [{ protocol: 'tcp', ports: desired.ports.map(String) }],
    denied: [],
  };
}

/** Whether the action made this rule. */
export function isOurs({ description }: FirewallRule): boolean {
  return description.endsWith(MARK);
}
