import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';
import { CHALLENGE_PORT } from '../values/challenge-port';
import { challengeRuleName, ipv6RuleName } from '../values/names';
import { isIPv6Range } from '../values/ranges';
import { type Purpose, standingDescription } from './identity';
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
  /** CIDRs from which the challenges of a certificate authority come; empty: none are to come. */
  readonly challenges: readonly string[];
}

/** A standing rule as it would be made; without ranges it is not wanted, and with null it stays as it is. */
export interface WantedRule {
  readonly name: string;
  readonly ranges: readonly string[] | null;
  readonly ports: readonly number[];
  readonly purpose: Purpose;
  /** Why it has its sources, and why it has none any more. */
  readonly why: string;
  readonly whyGone: string;
}

const CHALLENGES = {
  ports: [CHALLENGE_PORT],
  purpose: 'challenges',
  why: 'a certificate authority fetches the answers to its challenges there, from addresses that it does not publish; nothing else is answered',
  whyGone: 'no certificate is asked for by ACME any more',
} as const;

/**
 * The standing rules: one for IPv4 under the given name, and one beside it for IPv6, since no rule takes both.
 *
 * https://cloud.google.com/firewall/docs/firewalls#sources_for_ingress
 */
export function wantedRules({ rule, ranges, ports, challenges }: DesiredFirewall): WantedRule[] {
  const access = {
    ports,
    purpose: 'access',
    why: 'source-ranges names these networks',
    whyGone: 'source-ranges names no network of its kind any more',
  } as const;
  const isIPv4Range = (range: string) => !isIPv6Range(range);
  const forChallenges = challengeRuleName(rule);
  return [
    { name: rule, ranges: ranges?.filter(isIPv4Range) ?? null, ...access },
    { name: ipv6RuleName(rule), ranges: ranges?.filter(isIPv6Range) ?? null, ...access },
    { name: forChallenges, ranges: challenges.filter(isIPv4Range), ...CHALLENGES },
    { name: ipv6RuleName(forChallenges), ranges: challenges.filter(isIPv6Range), ...CHALLENGES },
  ];
}

/** A rule that does not exist yet. */
export function newRule(
  { name, ranges, ports, purpose }: WantedRule & { readonly ranges: readonly string[] },
  { targetTag }: DesiredFirewall,
  vm: Instance,
): FirewallRule {
  return {
    name,
    network: networkPath(vm.network),
    description: standingDescription(vm, purpose),
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
