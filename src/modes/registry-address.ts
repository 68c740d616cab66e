import type { Instance } from '../google/compute';
import { publishedPorts, schemeOf } from '../instance/stack/services';
import { type Endpoint, registryName, urlOf } from '../registry/endpoint';
import type { Settings } from '../settings/types';
import { ActionError } from '../values/errors';
import { resolveTargets } from '../values/reference';

/** The registry and its UI, as the outside knows them. */
export interface RegistryAddress {
  readonly host: string;
  readonly port: number;
  /** `host:port`, the domain of every reference. */
  readonly registry: string;
  /** Every `host:port` that names this registry: that one, and the addresses of the instance as far as they are known. */
  readonly names: readonly string[];
  /** How the front is spoken to. */
  readonly scheme: Endpoint['scheme'];
  /** Null without a UI. */
  readonly uiUrl: string | null;
  /** The host is the instance's own address, which may be an ephemeral one. */
  readonly mayChange: boolean;
}

/**
 * `vm` is needed only where the settings name no host.
 *
 * @throws ActionError `Invalid input` where a target of the push names another registry, before anything is changed
 */
export function registryAddress({ registry, push }: Settings, vm: Instance | null): RegistryAddress {
  const host = registry.host ?? bracketed(vm === null ? '' : addressOf(vm));
  const hosts = [host, ...(vm === null ? [] : addressesOf(vm).map(bracketed))];
  const names = [...new Set(hosts)].map((each) => registryName({ host: each, port: registry.port }));
  if (push !== null) resolveTargets(push.targets, names);
  return {
    host,
    port: registry.port,
    registry: registryName({ host, port: registry.port }),
    names,
    scheme: schemeOf(registry),
    uiUrl: registry.ui === 'none' ? null : urlOf({ scheme: schemeOf(registry), host, port: registry.uiPort }),
    mayChange: registry.host === null,
  };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** The TCP ports that the outside needs. */
export function portsOf({ registry }: Settings): number[] {
  return publishedPorts(registry);
}

/**
 * Where this runner reaches the instance: its external address, or, without one, its internal address; of IPv6 only where
 * it has no IPv4 address at all. Never anything that Google did not name: an empty address would be this machine itself.
 *
 * @throws ActionError `The instance has no address`
 */
export function addressOf(vm: Instance): string {
  const [address] = addressesOf(vm);
  if (address !== undefined) return address;
  throw new ActionError('The instance has no address', {
    doing: `looking for the address of instance ${vm.name}`,
    happened: 'Google names neither an IPv4 nor an IPv6 address of its first network interface',
    next: 'Look at `gcloud compute instances describe`; give the interface nic0 an address',
  });
}

/** All addresses of the instance's first network interface, the best way to it first. */
export function addressesOf({ externalIp, internalIp, externalIpv6, internalIpv6 }: Instance): string[] {
  return [externalIp, internalIp, externalIpv6, internalIpv6].filter((address) => address !== null);
}
