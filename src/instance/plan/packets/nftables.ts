import { type Chain, type Match, type Packet, type Rule, type Verdict, within } from './chains';
import { and, device, not } from './iptables';

type Json = Readonly<Record<string, unknown>>;

/** A table of nftables. */
export interface NftTable {
  /** `inet filter`. */
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
  /** Chains at the packet's hook. */
  readonly begins: readonly string[];
}

/**
 * The table in the output of `nft -j list table …`, as it applies to a packet; null where there is none.
 *
 * https://manpages.debian.org/trixie/libnftables1/libnftables-json.5.en.html
 */
export function nftTable(document: unknown, packet: Packet): NftTable | null {
  const items = listOf(objectOf(document)?.nftables).map(objectOf);
  const table = items.map((item) => objectOf(item?.table)).find((each) => each !== null);
  if (table === null || table === undefined) return null;
  const chains = new Map<string, { rules: Rule[]; policy: Chain['policy'] }>();
  const begins: string[] = [];
  for (const item of items) {
    const chain = objectOf(item?.chain);
    if (chain !== null) {
      const isBase = typeof chain.hook === 'string';
      const policy = isBase ? (chain.policy === 'drop' ? 'drop' : 'accept') : null;
      chains.set(String(chain.name), { rules: [], policy });
      if (chain.hook === packet.hook && chain.type === 'filter') begins.push(String(chain.name));
    }
    const rule = objectOf(item?.rule);
    if (rule !== null) chains.get(String(rule.chain))?.rules.push(...rulesOf(rule, packet));
  }
  return { name: `${table.family} ${table.name}`, chains, begins };
}

function objectOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A rule; one with a map of verdicts becomes one for each of its members. */
function rulesOf(rule: Json, packet: Packet): Rule[] {
  const text = `a rule of chain ${rule.chain}${typeof rule.comment === 'string' ? ` (${rule.comment})` : ''}`;
  let match: Match = 'yes';
  for (const statement of listOf(rule.expr).map(objectOf)) {
    if (statement === null) return [{ match: 'maybe', verdict: { kind: 'drop' }, text }];
    const [kind = ''] = Object.keys(statement);
    const value = objectOf(statement[kind]);
    const verdict = verdictOf(kind, value);
    if (verdict !== null) return [{ match, verdict, text }];
    if (kind === 'vmap') return mapRules(value, match, packet, text);
    if (kind === 'match') match = and(match, matchOf(value, packet));
    else if (!CHANGES_NOTHING.has(kind)) match = and(match, 'maybe');
  }
  return [{ match, verdict: { kind: 'continue' }, text }];
}

const CHANGES_NOTHING = new Set(['counter', 'log', 'comment', 'mangle', 'notrack']);

function verdictOf(kind: string, value: Json | null): Verdict | null {
  switch (kind) {
    case 'accept':
      return { kind: 'accept' };
    case 'drop':
    case 'reject':
      return { kind: 'drop' };
    case 'return':
      return { kind: 'return' };
    case 'continue':
      return { kind: 'continue' };
    case 'jump':
    case 'goto':
      return { kind, chain: String(value?.target) };
    default:
      return null;
  }
}

function mapRules(map: Json | null, match: Match, packet: Packet, text: string): Rule[] {
  const members = listOf(objectOf(map?.data)?.set);
  if (members.length === 0) return [{ match: 'maybe', verdict: { kind: 'drop' }, text }];
  return members.flatMap((member) => {
    const [value, action] = listOf(member);
    const found = objectOf(action);
    const [kind = ''] = Object.keys(found ?? {});
    const verdict = verdictOf(kind, objectOf(found?.[kind]));
    if (verdict === null) return [];
    return [
      { match: and(match, matchOf({ op: '==', left: map?.key, right: value }, packet)), verdict, text },
    ];
  });
}

function matchOf(value: Json | null, packet: Packet): Match {
  if (value === null) return 'maybe';
  const left = objectOf(value.left);
  const wanted = wantedOf(value.right);
  if (left === null || wanted === null) return 'maybe';
  const matches = wanted.map((each) => matchOne(left, each, packet));
  const any = matches.includes('yes') ? 'yes' : matches.includes('maybe') ? 'maybe' : 'no';
  return value.op === '!=' ? not(any) : any;
}

/** The values that a rule names; null where it names a set by its name, which is not known. */
function wantedOf(right: unknown): readonly unknown[] | null {
  if (typeof right === 'string' && right.startsWith('@')) return null;
  const set = objectOf(right)?.set;
  if (Array.isArray(set)) return set;
  return Array.isArray(right) ? right : [right];
}

function matchOne(left: Json, wanted: unknown, packet: Packet): Match {
  const key = String(objectOf(left.meta)?.key ?? objectOf(left.ct)?.key ?? '');
  if (left.ct !== undefined) {
    if (key === 'state') return wanted === 'new' ? 'yes' : 'no';
    if (key === 'status') return wanted === 'dnat' ? (packet.hook === 'forward' ? 'yes' : 'no') : 'maybe';
    if (key === 'proto-dst') return inRange(wanted, packet.originalPort);
    if (key === 'direction') return wanted === 'original' ? 'yes' : 'no';
    return 'maybe';
  }
  if (left.meta !== undefined) {
    if (key === 'iifname' || key === 'iif') return device(String(wanted), packet.inDevice, '*');
    if (key === 'oifname' || key === 'oif') return device(String(wanted), packet.outDevice, '*');
    if (key === 'l4proto') return wanted === 'tcp' || wanted === 6 ? 'yes' : 'no';
    if (key === 'nfproto') return wanted === 'ipv4' ? 'yes' : 'no';
    if (key === 'protocol') return wanted === 'ip' ? 'yes' : 'no';
    return 'maybe';
  }
  const payload = objectOf(left.payload);
  if (payload === null) return 'maybe';
  const { protocol, field } = payload;
  if (protocol === 'tcp' || protocol === 'th')
    return field === 'dport' ? inRange(wanted, packet.port) : 'maybe';
  if (protocol === 'ip') {
    if (field === 'saddr') return within(networkOf(wanted), packet.source);
    if (field === 'daddr') return within(networkOf(wanted), packet.destination);
    return field === 'protocol' ? (wanted === 'tcp' ? 'yes' : 'no') : 'maybe';
  }
  // Of IPv6, UDP, ICMP: not this packet.
  return 'no';
}

/** An address, or `{prefix: {addr, len}}`; a range of addresses as the network of all, which tells nothing. */
function networkOf(wanted: unknown): string {
  if (typeof wanted === 'string') return wanted;
  const prefix = objectOf(objectOf(wanted)?.prefix);
  return prefix === null ? 'range' : `${prefix.addr}/${prefix.len}`;
}

function inRange(wanted: unknown, port: number): Match {
  const range = objectOf(wanted)?.range;
  const [first, last] = Array.isArray(range) ? range.map(Number) : [Number(wanted), Number(wanted)];
  return port >= Number(first) && port <= Number(last) ? 'yes' : 'no';
}
