import { BlockList, isIP, isIPv6 } from 'node:net';

/** The part of `docker info --format '{{json .}}'` that matters here. */
export interface DockerInfo {
  readonly serverVersion: string;
  /** Registries that the daemon speaks HTTP to, as `host:port`. */
  readonly insecure: readonly string[];
  /** Networks whose registries it speaks HTTP to. */
  readonly insecureNetworks: readonly string[];
  readonly rootless: boolean;
  /** `Docker Desktop`, `Ubuntu 24.04 LTS`, … */
  readonly operatingSystem: string;
  /** Also those that are paused: a restart of the daemon ends them as well. */
  readonly runningContainers: number;
  /** Containers outlive a restart of the daemon; what `docker exec`, `logs` and `build` are at is cut off all the same. */
  readonly liveRestore: boolean;
  readonly hasMirrors: boolean;
}

/**
 * Reads what the daemon says about itself; null when it is not what Docker's daemon says (Podman has no
 * RegistryConfig).
 */
export function parseDockerInfo(text: string): DockerInfo | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const info = objectOf(json);
  const registries = objectOf(info.RegistryConfig);
  if (info.RegistryConfig === undefined || typeof info.ServerVersion !== 'string') return null;
  return {
    serverVersion: info.ServerVersion,
    insecure: Object.entries(objectOf(registries.IndexConfigs))
      .filter(([, config]) => objectOf(config).Secure === false)
      .map(([name]) => name),
    insecureNetworks: textsOf(registries.InsecureRegistryCIDRs),
    rootless: textsOf(info.SecurityOptions).some((option) => option.startsWith('name=rootless')),
    operatingSystem: typeof info.OperatingSystem === 'string' ? info.OperatingSystem : '',
    runningContainers: numberOf(info.ContainersRunning) + numberOf(info.ContainersPaused),
    liveRestore: info.LiveRestoreEnabled === true,
    hasMirrors: textsOf(registries.Mirrors).length > 0,
  };
}

/**
 * Whether this version forgets all insecure registries, also those of others, when it reloads a file that has mirrors:
 * 23.0.7 and 24.0.1 are the first that do not.
 *
 * https://github.com/moby/moby/pull/45552
 */
export function forgetsOnReload(serverVersion: string): boolean {
  const [major = 0, minor = 0, patch = 0] = serverVersion.split('.').map((part) => Number.parseInt(part, 10));
  if (major === 24) return minor === 0 && patch < 1;
  return major < 23 || (major === 23 && minor === 0 && patch < 7);
}

/**
 * Whether the daemon speaks HTTP to a registry: it is listed, or its address is in a listed network. dockerd also
 * resolves names for the latter (moby, registry/config.go: isSecureIndex); here a name counts only when listed,
 * which at worst lists it without need.
 */
export function isAccepted(info: DockerInfo, host: string, port: number): boolean {
  if (info.insecure.includes(`${host}:${port}`)) return true;
  const address = host === 'localhost' ? '127.0.0.1' : host.replace(/^\[|\]$/g, '');
  if (isIP(address) === 0) return false;
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const networks = new BlockList();
  for (const network of info.insecureNetworks) {
    const [base = '', length = ''] = network.split('/');
    if (isIP(base) !== 0 && /^\d{1,3}$/.test(length)) {
      networks.addSubnet(base, Number(length), isIPv6(base) ? 'ipv6' : 'ipv4');
    }
  }
  return networks.check(address, family);
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
