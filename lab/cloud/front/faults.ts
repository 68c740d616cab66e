import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { json, type Reply, text } from './exchange.ts';

export const UPSTREAM_FAULT_NAMES = [
  'hub-down',
  'hub-rate-limit',
  'docker-repository-down',
  'docker-repository-bad-signature',
  'docker-repository-key-over-http',
  'acme-down',
  'acme-rate-limit',
  'dns-wrong',
] as const;
export type UpstreamFaultName = (typeof UPSTREAM_FAULT_NAMES)[number];

/** What is wrong with Docker Hub, Docker's repository, Let's Encrypt and the DNS at present. */
export class UpstreamFaults {
  private readonly present = new Set<UpstreamFaultName>();

  set(name: UpstreamFaultName, on: boolean): void {
    if (on) this.present.add(name);
    else this.present.delete(name);
  }

  has(name: UpstreamFaultName): boolean {
    return this.present.has(name);
  }

  /** What Docker Hub answers, whatever is asked; null while it works. */
  hub(): Reply | null {
    return this.has('hub-down') ? unavailable() : null;
  }

  /**
   * What Let's Encrypt answers, whatever is asked; null while it works. The words are those of its front when there is nothing
   * behind it: https://community.letsencrypt.org/t/129514
   */
  acme(): Reply | null {
    if (!this.has('acme-down')) return null;
    const detail =
      'The service is down for maintenance or had an internal error. Check https://letsencrypt.status.io/ for more details.';
    const type = 'urn:acme:error:serverInternal';
    return json(503, { type, detail }, { 'content-type': 'application/problem+json' });
  }

  /**
   * What download.docker.com answers in place of a file of `root`; null: the file. A wrong signature is a Release file
   * that is not, in one word, the one that was signed. The redirect to HTTP is that of a mirror which does not know that
   * a proxy with TLS stands before it.
   */
  dockerRepository(root: string, url: URL): Reply | null {
    if (this.has('docker-repository-down')) return unavailable();
    if (url.pathname.endsWith('/gpg') && this.has('docker-repository-key-over-http')) {
      return { status: 302, headers: { location: `http://${url.host}${url.pathname}` }, body: '' };
    }
    const suite = /^\/linux\/\w+\/dists\/[\w-]+\/(?:In)?Release$/.test(url.pathname);
    if (!suite || !this.has('docker-repository-bad-signature')) return null;
    const signed = readFileSync(join(root, url.pathname), 'utf8');
    return text(200, signed.replace(/^Label: .*$/m, 'Label: Another'));
  }
}

export function isUpstreamFault(name: string): name is UpstreamFaultName {
  return (UPSTREAM_FAULT_NAMES as readonly string[]).includes(name);
}

/** As the proxies in front of both answer when there is nothing behind them. */
function unavailable(): Reply {
  const body =
    '<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n';
  return { status: 503, headers: { 'content-type': 'text/html' }, body: `${body}</body></html>\n` };
}

/**
 * Docker Hub's answer to a pull beyond the limit: to GET of a manifest; HEAD does not count, and is answered.
 * https://docs.docker.com/docker-hub/usage/pulls/; the words are those of docker/hub-feedback issue 2464.
 */
export function rateLimited(peer: string): Reply {
  const message =
    'You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit';
  const headers = {
    'docker-distribution-api-version': 'registry/2.0',
    'ratelimit-limit': '100;w=21600',
    'ratelimit-remaining': '0;w=21600',
    'docker-ratelimit-source': peer,
  };
  return json(429, { errors: [{ code: 'TOOMANYREQUESTS', message }] }, headers);
}
