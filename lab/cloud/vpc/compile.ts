import type { Firewall, ProtocolPorts } from '../compute/world.ts';

/** What of an instance decides which rules hold for it. */
export interface Target {
  readonly tags: readonly string[];
  readonly serviceAccount: string;
}

/** Other instances of the network, as sources. */
export interface Peer extends Target {
  readonly internalIp: string;
}

/** The interface at which the VPC arrives; what comes in elsewhere (loopback, Docker's bridges) is the VM's own. */
const INTERFACE = 'eth0';

/**
 * The network's rules as they hold for one instance, as an nftables script that replaces the table `inet vpc` as a
 * whole. Rules are tried by priority, at the same priority those that deny first
 * (https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules); what none admits is dropped.
 *
 * Source tags stand for the internal addresses of the instances that carry them, as on GCE: traffic to an external
 * address is not admitted by them.
 */
export function compileVpc(rules: readonly Firewall[], target: Target, peers: readonly Peer[]): string {
  const lines = rules
    .filter((rule) => rule.direction === 'INGRESS' && !rule.disabled && isFor(rule, target))
    .sort((a, b) => a.priority - b.priority || Number(b.denied.length > 0) - Number(a.denied.length > 0))
    .flatMap((rule) => compileRule(rule, peers));
  return `table inet vpc {}
delete table inet vpc
table inet vpc {
  chain ingress {
    type filter hook prerouting priority mangle; policy drop;
    iifname != "${INTERFACE}" accept
    ct state established,related accept
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
${lines.map((line) => `    ${line}\n`).join('')}  }
}
`;
}

function isFor(rule: Firewall, target: Target): boolean {
  if (rule.targetServiceAccounts.length > 0)
    return rule.targetServiceAccounts.includes(target.serviceAccount);
  return rule.targetTags.length === 0 || rule.targetTags.some((tag) => target.tags.includes(tag));
}

function compileRule(rule: Firewall, peers: readonly Peer[]): string[] {
  const verdict = rule.denied.length > 0 ? 'drop' : 'accept';
  const sources = [...rule.sourceRanges, ...peerAddresses(rule, peers)];
  const matches = [...rule.allowed, ...rule.denied].flatMap(protocolMatches);
  return sources.flatMap((source) =>
    matches.map((match) => `${sourceMatch(source)} ${match}${verdict} comment "${rule.name}"`),
  );
}

function peerAddresses(rule: Firewall, peers: readonly Peer[]): string[] {
  return peers
    .filter(
      (peer) =>
        peer.tags.some((tag) => rule.sourceTags.includes(tag)) ||
        rule.sourceServiceAccounts.includes(peer.serviceAccount),
    )
    .map((peer) => `${peer.internalIp}/32`);
}

/** One line for each source: overlapping elements, which Google allows, are an error in a set of nftables. */
function sourceMatch(cidr: string): string {
  if (cidr === '0.0.0.0/0') return 'meta nfproto ipv4';
  if (cidr === '::/0') return 'meta nfproto ipv6';
  return `${cidr.includes(':') ? 'ip6' : 'ip'} saddr ${cidr}`;
}

/** Numbers of the protocols that nftables knows under another name. */
const NUMBERS: Readonly<Record<string, string>> = { ipip: '94' };

function protocolMatches({ IPProtocol, ports }: ProtocolPorts): string[] {
  if (IPProtocol === 'all') return [''];
  const protocol = NUMBERS[IPProtocol] ?? IPProtocol;
  if (ports === undefined) return [`meta l4proto ${protocol} `];
  return ports.map((port) => `${protocol} dport ${port} `);
}
