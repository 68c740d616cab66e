import { isIPv6 } from 'node:net';

/** A host name or an address as certificates are compared by: IPv6 without brackets, in its shortest form. */
export function serverName(host: string): string {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return isIPv6(bare) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
}
