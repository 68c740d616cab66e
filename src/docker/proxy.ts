import { BlockList, isIP, isIPv6 } from 'node:net';

/** The proxies of a Docker daemon, as `docker info` shows them; empty where there are none. */
export interface ProxySettings {
  readonly http: string;
  readonly https: string;
  /** Hosts that are reached without one. */
  readonly no: string;
}

/**
 * The proxy through which the daemon reaches a host over HTTP or, as it tries first, HTTPS; null: none. By the rules
 * of Go, which Docker follows.
 *
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy
 *
 * @param host a name or an address; IPv6 with or without brackets
 */
export function proxyFor(host: string, port: number, { http, https, no }: ProxySettings): string | null {
  const proxy = http || https;
  if (proxy === '') return null;
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || isLoopback(bare)) return null;
  const exempt = no
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => exempts(entry, bare, String(port)));
  return exempt ? null : proxy;
}

/** A proxy's address for people to see: without its user and password. */
export function withoutCredentials(proxy: string): string {
  return proxy.replace(/^([a-z0-9+.-]+:\/\/)?[^/]*@/i, '$1');
}

function isLoopback(host: string): boolean {
  return contains('127.0.0.0/8', host) || contains('::1/128', host);
}

/** Whether an entry of NO_PROXY names a host: `*`, a network, an address or a name, the latter two with a port or not. */
function exempts(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (/^[^/]+\/\d+$/.test(entry)) return contains(entry, host);
  const [name, entryPort] = splitPort(entry);
  if (name === '' || (entryPort !== null && entryPort !== port)) return false;
  if (isIP(name) !== 0) return contains(`${name}/${isIPv6(name) ? 128 : 32}`, host);
  const suffix = name.replace(/^\*\./, '.');
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

/** `name`, `name:port`, `[address]:port`, or an address of IPv6 alone. */
function splitPort(entry: string): readonly [string, string | null] {
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(entry) ?? [];
  if (port === undefined) return [entry, null];
  return [bracketed ?? bare ?? '', port === '' ? null : port];
}

function contains(network: string, address: string): boolean {
  const [base = '', length = ''] = network.split('/');
  if (isIP(base) === 0 || isIP(base) !== isIP(address)) return false;
  const family = isIPv6(base) ? 'ipv6' : 'ipv4';
  if (Number(length) > (family === 'ipv6' ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(length), family);
  return list.check(address, family);
}
