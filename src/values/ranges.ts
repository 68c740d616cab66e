import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ActionError } from './errors';
import { show } from './show';

/** https://cloud.google.com/firewall/docs/quotas: source ranges for each VPC firewall rule. */
const MOST_RANGES = 256;

type Family = 4 | 6;

interface Range {
  readonly family: Family;
  /** First address of the network, as a number. */
  readonly first: bigint;
  readonly prefix: number;
}

/**
 * Reads CIDRs and plain addresses of IPv4 and IPv6.
 *
 * Returns canonical CIDRs, IPv4 before IPv6 and each family in ascending order. A range inside another one is left
 * out: it admits nobody more.
 *
 * @param place where they stand, for errors
 * @throws ActionError `Invalid source range`, `Too many source ranges`
 */
export function parseRanges(items: readonly string[], place = 'source-ranges'): string[] {
  const ranges = outermost(items.map((item) => parseRange(item, place)));
  for (const family of [4, 6]) {
    const count = ranges.filter((range) => range.family === family).length;
    if (count > MOST_RANGES) {
      throw new ActionError('Too many source ranges', {
        doing: `reading ${place}`,
        happened: `there are ${count} ranges of IPv${family}, and a firewall rule takes ${MOST_RANGES}`,
        next: 'Join neighbouring ranges into larger ones',
      });
    }
  }
  return ranges.map(text);
}

/** Whether `address`, IPv4 or IPv6, is in one of the CIDRs. What is no address is in none. */
export function covers(ranges: readonly string[], address: string): boolean {
  const point = readAddress(address);
  if (point === null) return false;
  return readRanges(ranges).some((range) => includes(range, { ...point, prefix: bits(point.family) }));
}

/** Whether two lists of CIDRs admit the same addresses, however they are cut, written and ordered. */
export function sameRanges(left: readonly string[], right: readonly string[]): boolean {
  const [a, b] = [left, right].map((list) => joined(readRanges(list)).map(text).join());
  return a === b;
}

/** Whether all addresses of `inner` are in `outer` as well. */
export function isWithin(inner: readonly string[], outer: readonly string[]): boolean {
  return sameRanges([...outer, ...inner], outer);
}

/** The CIDR of one address: `/32` or `/128`. An IPv4 address in IPv6 form gives the IPv4 one. Null: no address. */
export function rangeOf(address: string): string | null {
  const point = readAddress(address);
  return point === null ? null : text({ ...point, prefix: bits(point.family) });
}

export function isIPv6Range(range: string): boolean {
  return range.includes(':');
}

function parseRange(item: string, place: string): Range {
  const shown = show(item, 60);
  const [address = '', prefixText, ...more] = item.split('/');
  const point = readAddress(address);
  if (point === null || more.length > 0)
    throw invalid(`${shown} in ${place}`, 'it is neither an address nor a CIDR');
  if (prefixText === undefined) return { ...point, prefix: bits(point.family) };

  const prefix = readPrefix(prefixText, point.family, address);
  if (prefix === null)
    throw invalid(
      `${shown} in ${place}`,
      `a prefix length of IPv${point.family} is 0 to ${bits(point.family)}`,
    );
  const range = { ...point, prefix };
  const network = { ...range, first: range.first & mask(range) };
  if (network.first !== range.first) {
    throw invalid(
      `${shown} in ${place}`,
      `the address has bits set beyond the prefix; the network is ${text(network)}`,
    );
  }
  return range;
}

function invalid(what: string, happened: string): ActionError {
  return new ActionError('Invalid source range', {
    doing: `reading ${what}`,
    happened,
    next: 'Write `runner`, an address such as 203.0.113.7, or a network such as 203.0.113.0/24 or 2001:db8::/32',
  });
}

/** An address as a number. Node's parser is strict: no octal parts, no short forms. */
function readAddress(address: string): { family: Family; first: bigint } | null {
  if (isIPv4(address)) return { family: 4, first: number(ipaddr.IPv4.parse(address).toByteArray()) };
  if (!isIPv6(address) || address.includes('%')) return null;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) {
    return { family: 4, first: number(parsed.toIPv4Address().toByteArray()) };
  }
  return { family: 6, first: number(parsed.toByteArray()) };
}

function readPrefix(prefix: string, family: Family, address: string): number | null {
  if (!/^\d{1,3}$/.test(prefix)) return null;
  const mapped = family === 4 && isIPv6(address);
  const length = Number(prefix) - (mapped ? 96 : 0);
  return length >= 0 && length <= bits(family) ? length : null;
}

/** CIDRs of a rule that Google has accepted already; anything unreadable admits nobody that we could name. */
function readRanges(ranges: readonly string[]): Range[] {
  return ranges.flatMap((item) => {
    try {
      return [parseRange(item, 'a rule')];
    } catch {
      return [];
    }
  });
}

/** Sorted, without what lies inside another range. Prefixes nest or are apart, so one comparison each is enough. */
function outermost(ranges: readonly Range[]): Range[] {
  const kept: Range[] = [];
  for (const range of [...ranges].sort(compare)) {
    const last = kept.at(-1);
    if (last === undefined || !includes(last, range)) kept.push(range);
  }
  return kept;
}

/** The shortest list for the same addresses: two halves of a network become the network. */
function joined(ranges: readonly Range[]): Range[] {
  const stack: Range[] = [];
  for (const range of outermost(ranges)) {
    let next = range;
    for (let last = stack.at(-1); last !== undefined && areHalves(last, next); last = stack.at(-1)) {
      stack.pop();
      next = { ...last, prefix: last.prefix - 1 };
    }
    stack.push(next);
  }
  return stack;
}

function areHalves(a: Range, b: Range): boolean {
  if (a.family !== b.family || a.prefix !== b.prefix || a.prefix === 0) return false;
  const whole = mask({ family: a.family, prefix: a.prefix - 1 });
  return a.first !== b.first && (a.first & whole) === a.first && (b.first & whole) === a.first;
}

function compare(a: Range, b: Range): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.prefix - b.prefix;
}

function includes(outer: Range, inner: Range): boolean {
  return (
    outer.family === inner.family &&
    outer.prefix <= inner.prefix &&
    (inner.first & mask(outer)) === outer.first
  );
}

function bits(family: Family): number {
  return family === 4 ? 32 : 128;
}

function mask({ family, prefix }: Pick<Range, 'family' | 'prefix'>): bigint {
  const all = (1n << BigInt(bits(family))) - 1n;
  return all ^ (all >> BigInt(prefix));
}

function number(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function text({ family, first, prefix }: Range): string {
  const bytes = Array.from({ length: bits(family) / 8 }, (_, at) =>
    Number((first >> BigInt(bits(family) - 8 * (at + 1))) & 255n),
  );
  // RFC 5952: ipaddr.js writes the short, lower-case form.
  return `${ipaddr.fromByteArray(bytes).toString()}/${prefix}`;
}
