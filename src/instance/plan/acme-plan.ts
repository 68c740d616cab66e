import type { X509Certificate } from 'node:crypto';
import { isFor } from '../../values/certificate';
import type { Facts } from '../facts/facts';
import { acmeCertificateFile } from '../stack/acme';
import { describe, firstCertificate, type Tls } from './certificate-plan';
import { type InstanceStep, instanceStep, type ServiceEndpoint } from './steps';

type AcmeTls = Extract<Tls, { readonly kind: 'acme' }>;

/** The certificate that the front has by ACME; null: none yet. */
export function acmeCertificate(tls: AcmeTls, { texts }: Facts): X509Certificate | null {
  return firstCertificate(texts.get(acmeCertificateFile(tls, tls.names[0])));
}

/** Why the front has to have another certificate, by ACME, before anybody can talk to it; null: it has what it needs. */
export function whyToObtain(tls: Tls, facts: Facts, now: number): string | null {
  if (tls.kind !== 'acme') return null;
  const certificate = acmeCertificate(tls, facts);
  if (certificate === null) return 'tls is acme';
  if (!isFor(certificate, tls.names[0])) return `it is not for ${tls.names[0]}`;
  return certificate.validToDate.getTime() <= now ? 'it has expired' : null;
}

/** Whether a plan asks a certificate authority for something. */
export function asksForCertificate(steps: readonly InstanceStep[]): boolean {
  return steps.some(({ action }) => action.kind === 'obtain-certificate');
}

/**
 * The step that waits until the front has its certificate. Renewing is the front's own work; a run has to do with it only
 * where there is none that is good.
 *
 * @param isFrontNew the front's container is made in this run, and asks as it starts
 * @param now milliseconds since 1970
 */
export function obtainSteps(
  tls: Tls,
  facts: Facts,
  now: number,
  { isFrontNew, endpoints }: { readonly isFrontNew: boolean; readonly endpoints: readonly ServiceEndpoint[] },
): InstanceStep[] {
  const why = whyToObtain(tls, facts, now);
  if (tls.kind !== 'acme' || why === null) return [];
  const [name] = tls.names;
  const present = acmeCertificate(tls, facts);
  return [
    instanceStep(
      { kind: 'obtain-certificate', path: acmeCertificateFile(tls, name), anew: !isFrontNew, endpoints },
      'certificate of the front',
      present === null ? null : describe(present),
      `for ${name}, by ${new URL(tls.directory).host}`,
      why,
    ),
  ];
}
