import type { X509Certificate } from 'node:crypto';
import type { Facts } from '../instance/facts/facts';
import { acmeCertificate } from '../instance/plan/acme-plan';
import {
  firstCertificate,
  namesOf,
  remaining,
  SERVER_FILE,
  type Tls,
} from '../instance/plan/certificate-plan';
import { isFor } from '../values/certificate';
import { excerpt } from '../values/show';
import type { HealthCheck } from './check';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Enough for somebody to renew it by hand; one of the instance's own CA is renewed long before. */
const SOON_DAYS = 21;
/** The front renews when a third of the time is left, and looks every ten minutes. */
const OVERDUE = 0.3;

/** What the front's certificate says about its health; no row without TLS. `now` in milliseconds since the epoch. */
export function certificateRows(tls: Tls, facts: Facts, now: number): HealthCheck[] {
  if (tls.kind === 'none') return [];
  const isRenewed = tls.kind === 'acme';
  const certificate = isRenewed
    ? acmeCertificate(tls, facts)
    : firstCertificate(facts.texts.get(SERVER_FILE));
  const complaint = isRenewed ? complaintIn(facts) : '';
  if (certificate === null)
    return [{ ...ROW, state: 'unhealthy', finding: `the front has none${complaint}` }];
  const until = certificate.validToDate.toISOString().slice(0, 10);
  const [host] = tls.names;
  if (!isFor(certificate, host))
    return [{ ...ROW, state: 'unhealthy', finding: `it is for ${names(certificate)}, and not for ${host}` }];
  const left = certificate.validToDate.getTime() - now;
  if (left < 0) return [{ ...ROW, state: 'unhealthy', finding: `it expired on ${until}${complaint}` }];
  const finding = `for ${names(certificate)}, for ${timeOf(left)}, until ${until}`;
  if (!isRenewed)
    return [{ ...ROW, state: left < (SOON_DAYS + 1) * DAY_MS ? 'degraded' : 'healthy', finding }];
  if (remaining(certificate, now) >= OVERDUE) return [{ ...ROW, state: 'healthy', finding }];
  return [{ ...ROW, state: 'degraded', finding: `${finding}; its renewal is overdue${complaint}` }];
}

const ROW = { name: 'Certificate' } as const;

/** What a certificate authority said the last time that it gave none, behind something else. */
function complaintIn({ frontComplaint }: Facts): string {
  return frontComplaint === '' ? '' : ` (the last try: ${excerpt(frontComplaint)})`;
}

/** Certificates for addresses last six days: hours count. */
function timeOf(milliseconds: number): string {
  const days = Math.floor(milliseconds / DAY_MS);
  return days < 3 ? `${Math.floor((milliseconds * 24) / DAY_MS)} more hours` : `${days} more days`;
}

function names(certificate: X509Certificate): string {
  return namesOf(certificate).join(', ');
}
