import type { Log } from '../job/log';
import {
  certificateDirectory,
  releaseCertificate,
  type TakenCertificate,
  takeCertificate,
} from '../runner/certificate-file';
import type { RunnerHost } from '../runner/host';
import type { Registry } from '../runner/read';
import { shellQuote } from '../values/quote';
import { type DockerPlace, isDockerPlace } from './docker-place';
import type { LeaseRecord } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { hasFields, isTime, text } from './well-formed';

/**
 * The trust of this runner's Docker in the CA of a registry. What a run that died has left there, the next one that
 * takes it on this machine removes when it ends, by the claim.
 */
export interface CertificateLease extends LeaseRecord {
  readonly kind: 'certificate';
  readonly docker: DockerPlace;
  /** Of the registry, in Docker's `certs.d`. */
  readonly directory: string;
  /** Names the run: hexadecimal digits. */
  readonly claim: string;
}

/**
 * Lets the runner's Docker trust the CA until the job ends. Where the machine's owner has put that CA there, there is
 * nothing to give back.
 *
 * @param claim names the run: hexadecimal digits
 * @throws ActionError `Runner does not trust the registry`
 */
export async function takeCertificateLease(
  terms: LeaseTerms,
  host: RunnerHost,
  registry: Registry,
  pem: string,
  claim: string,
): Promise<TakenCertificate> {
  const expires = expiryOf(terms);
  const noted = terms.journal.note<CertificateLease>({
    kind: 'certificate',
    docker: terms.docker,
    directory: certificateDirectory(registry),
    claim,
    expires: expires.toISOString(),
  });
  const request = { registry, pem, claim, expires: expires.getTime(), now: terms.now() };
  const taken = await takeCertificate(host, request);
  if (taken.kind === 'owner') noted.end();
  return taken;
}

/**
 * Takes the CA away again, unless another job of this machine needs it.
 *
 * @param now milliseconds since 1970
 * @throws ActionError `Runner not restored`
 */
export async function releaseCertificateLease(
  { directory, claim }: CertificateLease,
  host: RunnerHost,
  log: Log,
  now: number,
): Promise<void> {
  await releaseCertificate(host, { directory, claim, now });
  log.info(`This job needs no CA in ${directory} any more`);
}

export function isCertificateLease(value: unknown): value is CertificateLease {
  return hasFields(value, {
    kind: text(/^certificate$/),
    docker: isDockerPlace,
    directory: text(/^\/etc\/docker\/certs\.d\/(?!\.{1,2}$)[^/\p{Cc}\s]+$/u),
    claim: text(/^[0-9a-f]{1,64}$/),
    expires: isTime,
  });
}

/** The CA where it could not be taken away, and how to do it by hand. */
export function describeCertificateLease({ directory }: CertificateLease): string {
  const remove = (name: string) => `\`sudo rm ${shellQuote(`${directory}/${name}`)}\``;
  return (
    `the CA in ${directory}, which Docker on this runner trusts for that registry alone: ` +
    `${remove('gce-registry-action.crt')}, or ${remove('ca.crt')} where there is no such file and that one is not yours`
  );
}
