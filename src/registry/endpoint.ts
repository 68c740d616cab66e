/** Where a registry is and how to talk to it; all that push, verify, canary and health check know of it. */
export interface Endpoint {
  readonly scheme: 'http' | 'https';
  /** DNS name, IPv4 address, or IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  /** A name or an address in its certificate, where that is not what it is reached by; null: `host`. */
  readonly serverName: string | null;
  /** PEM of the authority that signs its certificate; null: those that this machine trusts anyway. */
  readonly ca: string | null;
  readonly login: { readonly username: string; readonly password: string } | null;
}

/** `host:port`: the domain of every reference to an image in it. */
export function registryName({ host, port }: Pick<Endpoint, 'host' | 'port'>): string {
  return `${host}:${port}`;
}

/** The address of something at an endpoint, for people and browsers; `path` begins with a slash, or is empty. */
export function urlOf({ scheme, host, port }: Pick<Endpoint, 'scheme' | 'host' | 'port'>, path = ''): string {
  return `${scheme}://${host}:${port}${path}`;
}

/** The host as sockets take it: IPv6 addresses without their brackets. */
export function socketHost({ host }: Pick<Endpoint, 'host'>): string {
  return host.replace(/^\[|\]$/g, '');
}
