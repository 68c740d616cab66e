import { isIP } from 'node:net';
import { CHALLENGE_PORT } from '../../values/challenge-port';
import { STACK_DIRECTORY } from './directory';

/** What the front keeps for good: its account with the certificate authority, and the certificates. For root alone. */
export const ACME_DIRECTORY = `${STACK_DIRECTORY}/acme`;
/** That directory as the front's container sees it. */
export const ACME_MOUNT = '/data';

/** A certificate authority that speaks ACME. */
export interface AcmeAuthority {
  /** Address of its directory. */
  readonly directory: string;
  /** Where it may write to. */
  readonly email: string | null;
}

/** What ACME adds to the front's configuration. */
export interface AcmeSnippets {
  /** Among the global options. */
  readonly options: string;
  /** Before the site. */
  readonly challenges: string;
  /** In the site. */
  readonly tls: string;
}

/** The one profile of Let's Encrypt that addresses are in: https://letsencrypt.org/docs/profiles/#shortlived */
const ADDRESS_PROFILE = 'shortlived';

/**
 * The front asks for its certificate by itself, and for the next one when a third of the time is left, or when the
 * authority says so (ARI). `http-01` is the one challenge: it does not depend on what the registry's port is, and
 * `tls-alpn-01` would need port 443. Challenges are answered before anything that a site says
 * (https://github.com/caddyserver/caddy/blob/v2.11.9/modules/caddyhttp/server.go#L708); on their own port the connection
 * ends for all else, without an answer.
 *
 * @param name the host name or address that the certificate is for, IPv6 without brackets
 */
export function acmeSnippets({ directory, email }: AcmeAuthority, name: string): AcmeSnippets {
  const lines = [
    `dir ${directory}`,
    ...(email === null ? [] : [`email ${email}`]),
    ...(isIP(name) === 0 ? [] : [`profile ${ADDRESS_PROFILE}`]),
    'disable_tlsalpn_challenge',
  ];
  return {
    options: `	auto_https disable_redirects\n	storage file_system ${ACME_MOUNT}/caddy\n`,
    challenges: `http://:${CHALLENGE_PORT} {\n	abort\n}\n\n`,
    tls: `	tls {\n		issuer acme {\n${lines.map((line) => `			${line}\n`).join('')}		}\n	}\n`,
  };
}

/**
 * The addresses of a site that answers whatever host is asked for, and gets a certificate for one.
 *
 * https://github.com/caddyserver/caddy/blob/v2.11.9/caddyconfig/httpcaddyfile/tlsapp.go#L53
 */
export function siteAddresses(name: string, ports: readonly number[]): string {
  const host = name.includes(':') ? `[${name}]` : name;
  return ports.flatMap((port) => [`https://${host}:${port}`, `https://:${port}`]).join(', ');
}

/**
 * Where the front keeps the certificate of a name, with those above it.
 *
 * https://github.com/caddyserver/certmagic/blob/v0.25.6/storage.go (KeyBuilder.SiteCert), acmeissuer.go (issuerKey)
 */
export function acmeCertificateFile({ directory }: Pick<AcmeAuthority, 'directory'>, name: string): string {
  const { host, pathname } = new URL(directory);
  const path = pathname.replaceAll(/[/\\]/g, '-').replace(/^-+|-+$/g, '');
  const issuer = safe(path === '' ? host : `${host}-${path}`);
  const site = safe(name);
  return `${ACME_DIRECTORY}/caddy/certificates/${issuer}/${site}/${site}.crt`;
}

/** As KeyBuilder.Safe has it. */
function safe(text: string): string {
  return text
    .toLowerCase()
    .trim()
    .replaceAll(' ', '_')
    .replaceAll('+', '_plus_')
    .replaceAll('*', 'wildcard_')
    .replaceAll(':', '-')
    .replaceAll('..', '')
    .replaceAll(/[^\w@.-]/g, '');
}
