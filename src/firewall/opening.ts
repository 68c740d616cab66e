import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';
import { openingName, type RunIdentity } from '../values/names';
import { rangeOf } from '../values/ranges';

const MARK = 'Opening of one run of gce-registry-action.';
const DESCRIPTION = /^Opening of one run of gce-registry-action\. instance=(\S+) expires=(\S+)(?: run=\S+)?$/;

/** What an opening is made of. */
export interface OpeningRequest {
  readonly vm: Instance;
  /** This runner's address, as the instance sees it. */
  readonly address: string;
  readonly targetTag: string;
  readonly ports: readonly number[];
  readonly identity: RunIdentity;
  /** Address of the run, for people; null outside GitHub. */
  readonly url: string | null;
  /** After this a later run may take it for left behind. */
  readonly expires: Date;
}

/** The rule that admits one runner, for one run. Null when `address` is no address: then nobody is admitted. */
export function openingRule(request: OpeningRequest): FirewallRule | null {
  const { vm, address, targetTag, ports, identity, url, expires } = request;
  const range = rangeOf(address);
  if (range === null) return null;
  const run = url === null ? '' : ` run=${url}`;
  return {
    name: openingName(vm.name, identity),
    network: networkPath(vm.network),
    description: `${MARK} instance=${identify(vm)} expires=${expires.toISOString()}${run}`,
    direction: 'INGRESS',
    priority: 1000,
    disabled: false,
    sourceRanges: [range],
    sourceTags: [],
    sourceServiceAccounts: [],
    targetTags: [targetTag],
    targetServiceAccounts: [],
    allowed: [{ protocol: 'tcp', ports: ports.map(String) }],
    denied: [],
  };
}

/** Whether a rule bears the mark of an opening, of any instance. */
export function isOpening({ description }: FirewallRule): boolean {
  return DESCRIPTION.test(description);
}

/** The openings of this instance, with their expiry. Rules without our mark are never among them. */
function openingsOf(rules: readonly FirewallRule[], vm: Instance) {
  return rules.flatMap((rule) => {
    const [, instance, expires = ''] = DESCRIPTION.exec(rule.description) ?? [];
    if (instance !== identify(vm) || !rule.name.includes('-registry-run-')) return [];
    return [{ rule, expires: Date.parse(expires) }];
  });
}

/** The openings of this instance whose run is over, whatever became of it. */
export function expiredOpenings(rules: readonly FirewallRule[], vm: Instance, now: Date): FirewallRule[] {
  return openingsOf(rules, vm).flatMap(({ rule, expires }) => (expires < now.getTime() ? [rule] : []));
}

/** The openings of this instance whose runs may live. */
export function liveOpenings(rules: readonly FirewallRule[], vm: Instance, now: Date): FirewallRule[] {
  return openingsOf(rules, vm).flatMap(({ rule, expires }) => (expires >= now.getTime() ? [rule] : []));
}

/** In a shared network instances of several projects, and of several zones, can have the same name. */
function identify({ project, zone, name }: Instance): string {
  return `${project}/${zone}/${name}`;
}
