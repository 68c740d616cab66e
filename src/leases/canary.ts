import type { Log } from '../job/log';
import type { RegistryApi } from '../registry/api';
import { CANARY_REPOSITORY, type CanaryResult, flyCanary } from '../registry/canary';
import type { Endpoint } from '../registry/endpoint';
import { messageOf } from '../values/errors';
import type { LeaseRecord, Noted } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { hasFields, isCertificate, isDigest, isTime, isWord, orNull, text } from './well-formed';

/**
 * The manifest of a canary in the registry. It is the same in every run, so one that a dead run left behind goes with
 * the next.
 */
export interface CanaryLease extends LeaseRecord {
  readonly kind: 'canary';
  readonly scheme: Endpoint['scheme'];
  readonly host: string;
  readonly port: number;
  readonly serverName: string | null;
  readonly ca: string | null;
  readonly digest: string;
}

/** Pushes the canary, compares it, and removes it. */
export async function takeCanary(
  { endpoint, api }: { readonly endpoint: Endpoint; readonly api: RegistryApi },
  terms: LeaseTerms,
): Promise<CanaryResult> {
  const { scheme, host, port, serverName, ca } = endpoint;
  let noted: Noted<CanaryLease> | null = null;
  const result = await flyCanary(api, (digest) => {
    noted ??= terms.journal.note<CanaryLease>({
      kind: 'canary',
      scheme,
      host,
      port,
      serverName,
      ca,
      digest,
      expires: expiryOf(terms).toISOString(),
    });
  });
  (noted as Noted<CanaryLease> | null)?.end();
  return result;
}

/** Removes the canary of a check that was cut off. What comes in its way is only logged: the next check removes it. */
export async function releaseCanary(
  { scheme, host, port, serverName, ca, digest }: CanaryLease,
  open: (endpoint: Endpoint) => RegistryApi,
  log: Log,
): Promise<void> {
  try {
    const api = open({ scheme, host, port, serverName, ca, login: null });
    await api.deleteManifest(CANARY_REPOSITORY, digest).finally(() => api.close());
    log.info(`The canary is out of ${host}:${port}`);
  } catch (error) {
    log.info(
      `The canary stays in ${host}:${port}, some hundred bytes, until the next check: ${messageOf(error)}`,
    );
  }
}

export function isCanaryLease(value: unknown): value is CanaryLease {
  return hasFields(value, {
    kind: text(/^canary$/),
    scheme: text(/^https?$/),
    host: isWord,
    port: Number.isInteger,
    serverName: orNull(isWord),
    ca: orNull(isCertificate),
    digest: isDigest,
    expires: isTime,
  });
}
