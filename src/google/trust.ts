import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { ActionError } from '../values/errors';
import { show } from '../values/show';
import type { GoogleContext } from './context';

/** JSON of a credential configuration, unchecked. */
export type CredentialJson = Readonly<Record<string, unknown>>;

/** Fields of an external account that google-auth-library sends a token to, without a look at the host. */
const ENDPOINTS = [
  'token_url',
  'token_info_url',
  'service_account_impersonation_url',
  'cloud_resource_manager_url',
  'revoke_url',
];

const REGION = '[a-z]+-[a-z]+[0-9]+';
const SERVICE = '(?:sts|iamcredentials|oauth2|cloudresourcemanager)';

/**
 * Hosts that take tokens, before the domain: global, of a region, or behind Private Service Connect. Not just any host
 * of Google's: everybody may have a bucket, and with it a name, below storage.googleapis.com.
 *
 * https://cloud.google.com/sts/docs/reference/rest, https://cloud.google.com/vpc/docs/private-service-connect
 */
const TOKEN_SERVICE = new RegExp(
  `^(?:${SERVICE}|${SERVICE}\\.${REGION}(?:\\.rep)?|${REGION}[.-]${SERVICE}|${SERVICE}-[a-z0-9-]+\\.p)$`,
);

/** Hosts of GitHub's OIDC token endpoint on github.com; a GitHub Enterprise Server names its own in the job. */
const GITHUB_TOKEN_HOST = /^[a-z0-9.-]+\.actions\.githubusercontent\.com$/;

/**
 * Refuses a credential configuration that could send a token, or a file, to anyone but Google.
 *
 * https://cloud.google.com/docs/authentication/external/externally-sourced-credentials
 *
 * @throws ActionError `Credentials that are not safe to use`
 */
export function requireTrusted(json: CredentialJson, context: GoogleContext): void {
  const universe = json.universe_domain;
  if (universe !== undefined && universe !== 'googleapis.com' && universe !== context.universeDomain) {
    throw unsafe(
      `universe_domain is ${shown(universe)}`,
      'Set GOOGLE_CLOUD_UNIVERSE_DOMAIN to it in the job if that is the cloud you use',
    );
  }
  for (const field of ENDPOINTS) requireGoogle(json, field, context.universeDomain);
  if (json.type === 'external_account') requireTrustedSource(json.credential_source, context);
}

function requireGoogle(json: CredentialJson, field: string, universe: string): void {
  const value = json[field];
  if (value === undefined || value === null) return;
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  const trusted =
    url?.protocol === 'https:' &&
    url.port === '' &&
    ['googleapis.com', universe].some(
      (domain) =>
        url.hostname.endsWith(`.${domain}`) && TOKEN_SERVICE.test(url.hostname.slice(0, -domain.length - 1)),
    );
  if (!trusted) {
    throw unsafe(`${field} is ${shown(value)}`, `Use a configuration whose ${field} is a host of Google`);
  }
}

function requireTrustedSource(source: unknown, context: GoogleContext): void {
  const { file, url, ...others } = record(source) ?? {};
  for (const kind of ['executable', 'environment_id', 'certificate']) {
    if (kind in others) {
      throw unsafe(
        `its credential_source is of the kind ${kind}`,
        'Use a configuration with a file or GitHub as the source, such as google-github-actions/auth writes',
      );
    }
  }
  if (typeof file === 'string') requireTrustedFile(file, context.trustedDirectories);
  else requireGitHub(url, context.tokenHost);
}

function requireTrustedFile(file: string, directories: readonly string[]): void {
  const real = realPath(file);
  const inside = directories.some((directory) => real?.startsWith(`${realPath(directory)}${sep}`));
  if (!inside) {
    throw unsafe(
      `its credential_source reads the file ${show(file)}`,
      'Keep that file in the workspace or in RUNNER_TEMP',
    );
  }
}

function requireGitHub(url: unknown, tokenHost: string | null): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : null;
  const host = parsed?.hostname ?? '';
  if (parsed?.protocol !== 'https:' || !(GITHUB_TOKEN_HOST.test(host) || host === tokenHost)) {
    throw unsafe(
      `its credential_source asks ${shown(url)}`,
      'Use a configuration whose source is GitHub, such as google-github-actions/auth writes',
    );
  }
}

/** Symbolic links followed; null when there is nothing. */
function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

export function record(value: unknown): CredentialJson | null {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as CredentialJson)
    : null;
}

function shown(value: unknown): string {
  return show(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
}

function unsafe(happened: string, next: string): ActionError {
  return new ActionError('Credentials that are not safe to use', {
    doing: 'checking the Google credentials',
    happened,
    next,
  });
}
