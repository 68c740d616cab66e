import type { Instance } from '../../google/compute';
import { registryName, urlOf } from '../../registry/endpoint';
import type { Settings } from '../../settings/types';
import { addressOf } from './google';

/** The registry and its UI, as the outside knows them. */
export interface RegistryAddress {
  readonly host: string;
  readonly port: number;
  /** `host:port`, the domain of every reference. */
  readonly registry: string;
  /** Null without a UI. */
  readonly uiUrl: string | null;
  /** The host is the instance's own address, which may be an ephemeral one. */
  readonly mayChange: boolean;
}

/** `vm` is needed only where the inputs name no host. */
export function registryAddress({ registry }: Settings, vm: Instance | null): RegistryAddress {
  const host = registry.host ?? bracketed(vm === null ? '' : addressOf(vm));
  return {
    host,
    port: registry.port,
    registry: registryName({ host, port: registry.port }),
    uiUrl: registry.ui === 'none' ? null : urlOf({ scheme: 'http', host, port: registry.uiPort }),
    mayChange: registry.host === null,
  };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** The TCP ports that the outside needs. */
export function portsOf({ registry }: Settings): number[] {
  return registry.ui === 'none' ? [registry.port] : [registry.port, registry.uiPort];
}
