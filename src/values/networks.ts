import { isIPv4 } from 'node:net';

/** Whether two networks of IPv4 have an address in common. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [spanOf(one), spanOf(other)];
  return a !== null && b !== null && a.first <= b.last && b.first <= a.last;
}

function spanOf(cidr: string): { readonly first: number; readonly last: number } | null {
  const [address = '', prefix = '32'] = cidr.split('/');
  const length = Number(prefix);
  if (!isIPv4(address) || !(length >= 0 && length <= 32)) return null;
  const size = 2 ** (32 - length);
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const first = number - (number % size);
  return { first, last: first + size - 1 };
}

/** Whether the first network of IPv4 has all addresses of the second. */
export function contains(outer: string, inner: string): boolean {
  const [a, b] = [spanOf(outer), spanOf(inner)];
  return a !== null && b !== null && a.first <= b.first && b.last <= a.last;
}
