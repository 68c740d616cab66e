import type { X509Certificate } from 'node:crypto';
import type { Facts } from '../instance/facts/facts';
import { firstCertificate, namesOf, SERVER_FILE, type Tls } from '../instance/plan/certificate-plan';
import { isFor } from '../values/certificate';
import type { HealthCheck } from './check';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Enough for somebody to renew it by hand; one of the instance's own CA is renewed long before. */
const SOON_DAYS = 21;

/** What the front's certificate says about its health; no row without TLS. `now` in milliseconds since the epoch. */
export function certificateRows(tls: Tls, facts: Facts, now: number): HealthCheck[] {
  if (tls.kind === 'none') return [];
  const certificate = firstCertificate(facts.texts.get(SERVER_FILE));
  if (certificate === null) return [{ ...ROW, state: 'unhealthy', finding: 'the front has none' }];
  const days = Math.floor((certificate.validToDate.getTime() - now) / DAY_MS);
  const until = certificate.validToDate.toISOString().slice(0, 10);
  const [host] = tls.names;
  if (!isFor(certificate, host))
    return [{ ...ROW, state: 'unhealthy', finding: `it is for ${names(certificate)}, and not for ${host}` }];
  if (days < 0) return [{ ...ROW, state: 'unhealthy', finding: `it expired on ${until}` }];
  const state = days <= SOON_DAYS ? 'degraded' : 'healthy';
  return [{ ...ROW, state, finding: `for ${names(certificate)}, for ${days} more days, until ${until}` }];
}

const ROW = { name: 'Certificate' } as const;

function names(certificate: X509Certificate): string {
  return namesOf(certificate).join(', ');
}
