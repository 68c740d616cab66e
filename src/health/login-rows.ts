import type { Facts } from '../instance/facts/facts';
import type { HealthCheck } from './check';

/** Who may log in, and whether a login is asked for; no row where nobody has to. */
export function loginRows({ users: { present, wanted }, probes }: Facts): HealthCheck[] {
  if (present.length === 0 && wanted.length === 0) return [];
  const name = 'Logins';
  // The probe on the instance comes without one.
  if (probes.get('registry') === 200)
    return [{ name, state: 'unhealthy', finding: 'the registry lets in who has none' }];
  if (present.length === 0)
    return [{ name, state: 'unhealthy', finding: `there are none, and there is to be ${wanted.join(', ')}` }];
  return [{ name, state: 'healthy', finding: present.join(', ') }];
}
