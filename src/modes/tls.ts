import type { Instance } from '../google/compute';
import type { Facts } from '../instance/facts/facts';
import { CA_FILE, type ServerNames, type Tls } from '../instance/plan/certificate-plan';
import { schemeOf } from '../instance/stack/services';
import type { Endpoint } from '../registry/endpoint';
import { findEndpoint } from '../registry/scheme';
import type { Settings } from '../settings/types';
import { checkCertificateName, UnusableCertificate } from '../values/certificate';
import { ActionError } from '../values/errors';
import { serverName } from '../values/server-name';
import { acmeName } from './acme';
import { addressesOf, addressOf } from './registry-address';

/**
 * How the front of this instance is to speak TLS.
 *
 * @throws ActionError `Certificate does not fit` for one that is given and is not for the address of the registry; of
 *   acmeName for one that nobody could vouch for
 */
export function tlsOf({ registry }: Settings, vm: Instance): Tls {
  const { tls } = registry;
  if (tls.kind === 'none') return tls;
  if (tls.kind === 'acme') return { ...tls, names: [acmeName(registry.host, vm)] };
  const names = serverNames(registry.host ?? addressOf(vm), vm);
  if (tls.kind === 'private-ca') return { kind: tls.kind, names };
  if (tls.given !== null) requireName(tls.given.chain, names[0]);
  return { kind: tls.kind, names, given: tls.given };
}

/** Every name by which an instance is reached. https://cloud.google.com/compute/docs/internal-dns */
function serverNames(host: string, vm: Instance): ServerNames {
  const [project = '', domain] = vm.project.split(':').reverse();
  const zone = `c.${domain === undefined ? project : `${project}.${domain}`}.internal`;
  const internal = [`${vm.name}.${vm.zone}.${zone}`, `${vm.name}.${zone}`];
  const others = [...addressesOf(vm), ...internal, 'localhost', '127.0.0.1'].map(serverName);
  const first = serverName(host);
  return [first, ...new Set(others.filter((name) => name !== first))];
}

function requireName(chain: string, name: string): void {
  try {
    checkCertificateName(chain, name);
  } catch (cause) {
    if (!(cause instanceof UnusableCertificate)) throw cause;
    throw new ActionError(
      'Certificate does not fit',
      {
        doing: 'holding `tls-certificate` against the address of the registry',
        happened: cause.message,
        next: 'Set `registry-host` to a name that the certificate is for, or pass one for that address',
      },
      { cause },
    );
  }
}

/** What this run has to trust so that it can talk to the registry: PEM; null: what this machine trusts anyway. */
export function authorityOf({ registry: { tls } }: Settings, facts: Facts | null): string | null {
  if (tls.kind === 'private-ca') return facts?.texts.get(CA_FILE) ?? null;
  return tls.kind === 'certificate' ? (tls.given?.authority ?? null) : null;
}

/**
 * The endpoint of the registry. Where the settings say nothing of TLS, somebody's own proxy may speak it: that is found
 * out.
 */
export async function endpointOf(
  { registry, route }: Settings,
  { host, port, serverName }: Pick<Endpoint, 'host' | 'port' | 'serverName'>,
  ca: string | null,
): Promise<Endpoint> {
  if (registry.tls.kind === 'none' && route === 'direct') return findEndpoint(host, port);
  return { scheme: schemeOf(registry), host, port, serverName, ca, login: registry.access.login };
}
