import { isIP } from 'node:net';
import type { Instance } from '../google/compute';
import type { Log } from '../job/log';
import type { Resolve } from '../job/resolve';
import type { Settings } from '../settings/types';
import { ActionError } from '../values/errors';
import { whyNotPublic } from '../values/public-host';
import { serverName } from '../values/server-name';

/**
 * From where the challenges of a certificate authority come: from everywhere, since it does not publish its addresses
 * (https://letsencrypt.org/docs/faq/), over each family that the instance is reached by.
 */
export function challengeSources({ registry: { tls } }: Settings, vm: Instance): string[] {
  if (tls.kind !== 'acme') return [];
  return [...(vm.externalIp === null ? [] : ['0.0.0.0/0']), ...(vm.externalIpv6 === null ? [] : ['::/0'])];
}

/**
 * Refuses an instance to which no challenge can come.
 *
 * @param host the name or address that the certificate is to be for; null: the instance's external address
 * @throws ActionError `No public address`, `Name does not lead to the instance`
 */
export function acmeName(host: string | null, vm: Instance): string {
  const doing = 'looking for what a public certificate authority could vouch for';
  const external = externalOf(vm);
  const [address] = external;
  if (address === undefined) {
    throw new ActionError('No public address', {
      doing,
      happened: `instance ${vm.name} has no external address, and the authority's challenges come from the internet`,
      next: 'Give the instance an external address, or use `tls: private-ca`, which needs none',
    });
  }
  const name = host === null ? address : serverName(host);
  const obstacle = whyNotPublic(name);
  if (obstacle !== null) {
    throw new ActionError('No public address', {
      doing,
      happened: `${name} ${obstacle}`,
      next: 'Use a name of the public DNS in `registry-host`, or `tls: private-ca`',
    });
  }
  if (isIP(name) !== 0 && !external.includes(name)) throw elsewhere(name, [name], vm);
  return name;
}

/**
 * Refuses a host name that does not lead to the instance, before the authority is asked: each failed try counts towards its
 * limits.
 *
 * @throws ActionError `Name does not lead to the instance`
 */
export async function requireNameOf(vm: Instance, name: string, resolve: Resolve, log: Log): Promise<void> {
  if (isIP(name) !== 0) return;
  const found = await resolve(name);
  if (found.kind === 'unknown') {
    log.warning(
      `The DNS could not be asked where ${name} leads to (${found.why}): the certificate authority will see`,
    );
    return;
  }
  const external = externalOf(vm);
  const addresses = found.addresses.map(serverName);
  if (addresses.length === 0 || addresses.some((each) => !external.includes(each)))
    throw elsewhere(name, addresses, vm);
}

function elsewhere(name: string, addresses: readonly string[], vm: Instance): ActionError {
  const external = externalOf(vm).join(' and ');
  const found =
    isIP(name) !== 0
      ? `${name} is not the instance's`
      : addresses.length === 0
        ? `the DNS has no address for ${name}`
        : `${name} leads to ${addresses.join(' and ')}`;
  return new ActionError('Name does not lead to the instance', {
    doing: `looking where the certificate authority would come to for ${name}`,
    happened: `${found}; the external address of ${vm.name} is ${external}`,
    next: `Let the DNS have ${external} for it, and nothing else, then wait until the old answer has expired (its TTL); or correct \`registry-host\``,
  });
}

function externalOf({ externalIp, externalIpv6 }: Instance): string[] {
  return [externalIp, externalIpv6].filter((address) => address !== null).map(serverName);
}
