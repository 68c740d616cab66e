import { type DesiredFirewall, newRule, wantedRules } from '../../../src/firewall/desired';
import type { FirewallRule, Instance } from '../../../src/google/compute';

export const VM: Instance = {
  project: 'service',
  zone: 'europe-west1-b',
  name: 'web-1',
  id: '7',
  status: 'RUNNING',
  windows: false,
  network: { project: 'host', name: 'shared' },
  internalIp: '10.0.0.2',
  externalIp: '203.0.113.9',
  internalIpv6: null,
  externalIpv6: null,
  disks: [{ name: 'web-1', device: 'web-1', boot: true, regional: false, scratch: false, autoDelete: true }],
  tags: { items: ['http', 'web-1-registry'], fingerprint: 'f' },
  metadata: { items: [], fingerprint: 'f' },
};

export const DESIRED: DesiredFirewall = {
  rule: 'web-1-registry',
  targetTag: 'web-1-registry',
  ranges: ['192.0.2.0/24'],
  runner: true,
  ports: [5000, 18080],
  challenges: [],
};

/** The standing rule of an instance, as the action makes it. */
export function ownRule(
  name: string,
  vm: Instance,
  ranges: readonly string[] = ['192.0.2.0/24'],
): FirewallRule {
  const desired = { ...DESIRED, rule: name, ranges };
  const [wanted] = wantedRules(desired);
  if (wanted === undefined) throw new Error('no rule is wanted');
  return newRule({ ...wanted, ranges }, desired, vm);
}

/** A rule that somebody else made. */
export function rule(changes: Partial<FirewallRule> = {}): FirewallRule {
  return {
    name: 'web-1-registry',
    network: 'projects/host/global/networks/shared',
    description: 'made by hand',
    direction: 'INGRESS',
    priority: 900,
    disabled: false,
    sourceRanges: ['192.0.2.0/24'],
    sourceTags: [],
    sourceServiceAccounts: [],
    targetTags: ['web-1-registry'],
    targetServiceAccounts: [],
    allowed: [{ protocol: 'tcp', ports: ['5000', '18080'] }],
    denied: [],
    ...changes,
  };
}
