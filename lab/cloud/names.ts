/**
 * Every name that a lab answers for, at its gateway address over HTTPS. The machines have them in /etc/hosts,
 * and the lab's certificate carries them.
 */
export const NAMES: readonly string[] = [
  'compute.googleapis.com',
  'www.googleapis.com',
  'oauth2.googleapis.com',
  'sts.googleapis.com',
  'iamcredentials.googleapis.com',
  'registry-1.docker.io',
  'auth.docker.io',
  'index.docker.io',
  'production.cloudflare.docker.com',
  'download.docker.com',
  'github.com',
  'objects.githubusercontent.com',
  'release-assets.githubusercontent.com',
  'token.actions.githubusercontent.com',
  'acme-v02.api.letsencrypt.org',
  'acme-staging-v02.api.letsencrypt.org',
];

/** The name of an instance in the public DNS, as somebody may have given it one. */
export function publicName(instance: string): string {
  return `${instance}.example.com`;
}
