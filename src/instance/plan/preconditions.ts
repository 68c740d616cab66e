import { ActionError } from '../../values/errors';
import type { Facts } from '../facts/facts';
import { requireData } from './data-plan';
import type { Desired } from './desired';
import { requireWayIn } from './host-firewall';
import { requirePorts } from './ports';

const SUPPORTED = ['debian 12', 'debian 13', 'ubuntu 22.04', 'ubuntu 24.04'];
const ARCHITECTURES = ['x86_64', 'aarch64'];

/**
 * Refuses what no step can mend, before anything is changed.
 *
 * @throws ActionError `Unsupported operating system`, `Unsupported architecture`, `No systemd`, and those of
 *   `Logins need TLS`, requirePorts, requireWayIn and requireData
 */
export function requirePossible(desired: Desired, facts: Facts): void {
  requireSystem(facts);
  requireTls(desired, facts);
  requirePorts(desired, facts);
  requireWayIn(desired, facts);
  requireData(desired, facts);
}

/** Also for logins that this run does not name: it would send those of others in clear, but for what SSH carries. */
function requireTls({ tls, registry }: Desired, { users: { wanted } }: Facts): void {
  if (tls.kind !== 'none' || registry.loopback || wanted.length === 0) return;
  throw new ActionError('Logins need TLS', {
    doing: 'planning how registry and UI are spoken to',
    happened: `\`tls\` is none, and the instance has the logins ${wanted.join(', ')}`,
    next: 'Keep `tls: private-ca`, `acme` or `certificate`, set `route: ssh` without CIDRs in `source-ranges`, or take the logins away with `users: none` and `readers: none`',
  });
}

function requireSystem({ os, arch, systemd }: Facts): void {
  const doing = 'checking the operating system of the instance';
  if (!SUPPORTED.includes(`${os.id} ${os.version}`)) {
    throw new ActionError('Unsupported operating system', {
      doing,
      happened: `it is ${os.name === '' ? 'unknown' : os.name}`,
      next: 'Use an instance with Debian 12 or 13, or Ubuntu 22.04 or 24.04',
    });
  }
  if (!ARCHITECTURES.includes(arch)) {
    throw new ActionError('Unsupported architecture', {
      doing,
      happened: `its architecture is ${arch}`,
      next: 'Use an instance with an x86-64 (amd64) or Arm64 processor',
    });
  }
  if (!systemd) {
    throw new ActionError('No systemd', {
      doing,
      happened: 'systemd does not run on it, so no service can be kept running',
      next: 'Use an instance that boots with systemd, as all images of Debian and Ubuntu on Google Cloud do',
    });
  }
}
