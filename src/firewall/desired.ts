import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';
import { ipv6RuleName } from '../values/names';
import { isIPv6Range } from '../values/ranges';
import { standingDescription } from './identity';
import type { FirewallNames } from './resolve-names';

/** What the firewall should be like. */
export interface DesiredFirewall extends FirewallNames {
  /**
   * CIDRs of the standing rule. Empty: nobody is to be admitted by it. Null: nothing was said of them, so that a standing
   * rule keeps its sources, whoever asked for them.
   */
  readonly ranges: readonly string[] | null;
  /** Runs get openings of their own. */
  readonly runner: boolean;
  /** TCP ports of the registry and of the UI. */
  readonly ports: readonly number[];
}

/** A standing rule as it would be made; without ranges it is not wanted, and with null it stays as it is. */
export interface WantedRule {
  readonly name: string;
  readonly ranges: readonly string[] | null;
}

/**
 * The standing rules: one for IPv4 under the given name, and one beside it for IPv6, since no rule takes both.
 *
 * https://cloud.google.com/firewall/docs/firewalls#sources_for_ingress
 */
export function wantedRules({ rule, ranges }: DesiredFirewall): WantedRule[] {
  return [
    { name: rule, ranges: ranges?.filter((range) => !isIPv6Range(range)) ?? null },
    { name: ipv6RuleName(rule), ranges: ranges?.filter(isIPv6Range) ?? null },
  ];
}

/** A rule that does not exist yet. */
export function newRule(
  { name, ranges }: { readonly name: string; readonly ranges: readonly string[] },
  { targetTag, ports }: DesiredFirewall,
  vm: Instance,
): FirewallRule {
  return {
    name,
    network: networkPath(vm.network),
    description: standingDescription(vm),
    direction: 'INGRESS',
    priority: 1000,
    disabled: false,
    sourceRanges: ranges,
    sourceTags: [],
    sourceServiceAccounts: [],
    targetTags: [targetTag],
    targetServiceAccounts: [],
    allowed: [{ protocol: 'tcp', ports: ports.map(String) }],
    denied: [],
  };
}
