import { type FirewallNames, resolveNames } from '../firewall/resolve-names';
import { standingSources } from '../firewall/standing-sources';
import type { FirewallRule, Instance } from '../google/compute';
import { challengeSources } from './acme';
import { portsOf } from './registry-address';
import type { Run } from './run';

/** The firewall of an instance as it was read, and as the settings want it. */
export interface SiteFirewall extends FirewallNames {
  /** CIDRs that the standing rule admits. */
  readonly openTo: readonly string[];
}

/** Names of the standing rule and of the network tag, as this instance has them among all of its network, and its sources. */
export async function firewallOf(
  { settings }: Run,
  { vm, rules }: { readonly vm: Instance; readonly rules: Promise<readonly FirewallRule[]> },
): Promise<SiteFirewall> {
  const all = await rules;
  const names = resolveNames(settings.firewall, vm, all);
  const challenges = challengeSources(settings, vm);
  const desired = { ...settings.firewall, ...names, ports: portsOf(settings), challenges };
  return { ...names, openTo: standingSources(desired, vm, all) };
}
