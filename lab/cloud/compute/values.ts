import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { invalidField } from './errors.ts';

const NAME = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const NAME_TEXT = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";

/** Names and tags: RFC 1035, at most 63 characters. */
export function checkName(field: string, value: string): void {
  if (!NAME.test(value)) throw invalidField(field, value, NAME_TEXT);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ZERO_UUID = '00000000-0000-0000-0000-000000000000';

/** A requestId: a valid UUID, and not the zero one. */
export function checkRequestId(value: string): void {
  if (!UUID.test(value) || value === ZERO_UUID)
    throw invalidField('requestId', value, 'Must be a valid UUID');
}

/** A single port or a range, ascending. */
export function checkPorts(field: string, value: string): void {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(value);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!match || from > 65535 || to > 65535 || from > to) {
    throw invalidField(field, value, 'Must be an integer or a range of integers between 0 and 65535');
  }
}

const PROTOCOL_NAMES = ['ah', 'all', 'esp', 'icmp', 'ipip', 'sctp', 'tcp', 'udp'];
/** Numbers that Google turns into their names. */
const NAMED_NUMBERS: Readonly<Record<string, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  50: 'esp',
  51: 'ah',
  132: 'sctp',
};

/** The protocol in the form in which it is kept. The text is that of terraform-google-network's issue 535. */
export function checkProtocol(field: string, value: string): string {
  if (PROTOCOL_NAMES.includes(value)) return value;
  if (!/^\d{1,3}$/.test(value) || Number(value) > 255) {
    const names = PROTOCOL_NAMES.map((name) => `"${name}"`).join(', ');
    throw invalidField(field, value, `Must be one of [${names}] or an IP protocol number between 0 and 255.`);
  }
  return NAMED_NUMBERS[Number(value)] ?? String(Number(value));
}

/** A CIDR without host bits, or a single address (kept as /32 or /128). Returns it as kept. */
export function checkCidr(field: string, value: string): string {
  const [address = '', length, ...rest] = value.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  const prefix = length === undefined ? bits : Number(length);
  const numeric = length === undefined || /^\d{1,3}$/.test(length);
  if (bits === 0 || rest.length > 0 || !numeric || prefix > bits) {
    throw invalidField(field, value, 'Must be a valid CIDR address range.');
  }
  if (hasHostBits(address, prefix)) {
    throw invalidField(field, value, 'Must be a CIDR address range with no host bits set.');
  }
  return `${address.toLowerCase()}/${prefix}`;
}

export const isV6 = (cidr: string): boolean => cidr.includes(':');

/** Whether bits behind the prefix are set. */
function hasHostBits(address: string, prefix: number): boolean {
  const bytes = toBytes(address);
  return bytes.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return (byte & (0xff >> kept)) !== 0;
  });
}

function toBytes(address: string): number[] {
  if (isIPv4(address)) return address.split('.').map(Number);
  const [head = '', tail] = expandMapped(address).split('::');
  const left = groups(head);
  const right = groups(tail ?? '');
  const middle = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...middle, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}

const groups = (text: string): number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));

/** Writes the dotted tail of an IPv6 address as two groups. */
function expandMapped(address: string): string {
  const match = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (!match) return address;
  const [a, b, c, d] = match.slice(2).map(Number) as [number, number, number, number];
  return `${match[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** Whether an address lies in one of the CIDRs. */
export function isWithin(address: string, cidrs: readonly string[]): boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [net = '', prefix] = cidr.split('/');
    list.addSubnet(net, Number(prefix), isV6(net) ? 'ipv6' : 'ipv4');
  }
  return list.check(address, isV6(address) ? 'ipv6' : 'ipv4');
}
