import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';
import { openingName, type RunIdentity } from '../values/names';
import { rangeOf } from '../values/ranges';

/**
 * The longest that a job on GitHub's runners can take. A run that died without its post step leaves its opening
 * behind; after this the next run of the same instance removes it.
 *
 * https://docs.github.com/actions/reference/limits
 */
export const OPENING_LIFETIME_MS = 6 * 60 * 60 * 1000;

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
  readonly now: Date;
}

/** The rule that admits one runner, for one run. Null when `address` is no address: then nobody is admitted. */
export function openingRule(request: OpeningRequest): FirewallRule | null {
  const { vm, address, targetTag, ports, identity, url, now } = request;
  const range = rangeOf(address);
  if (range === null) return null;
  const expires = new Date(now.getTime() + OPENING_LIFETIME_MS).toISOString();
  return {
    name: openingName(vm.name, identity),
    network: networkPath(vm.network),
    description: `${MARK} instance=${identify(vm)} expires=${expires}${url === null ? '' : ` run=${url}`}`,
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

/** The openings of this instance whose run is over, whatever became of it. Rules without our mark are never among them. */
export function expiredOpenings(rules: readonly FirewallRule[], vm: Instance, now: Date): FirewallRule[] {
  return rules.filter(({ description, name }) => {
    const [, instance, expires = ''] = DESCRIPTION.exec(description) ?? [];
    return (
      instance === identify(vm) && name.includes('-registry-run-') && Date.parse(expires) < now.getTime()
    );
  });
}

/** In a shared network instances of several projects, and of several zones, can have the same name. */
function identify({ project, zone, name }: Instance): string {
  return `${project}/${zone}/${name}`;
}
