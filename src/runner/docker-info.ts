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
  readonly runningContainers: number;
  readonly liveRestore: boolean;
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
    runningContainers: typeof info.ContainersRunning === 'number' ? info.ContainersRunning : 0,
    liveRestore: info.LiveRestoreEnabled === true,
  };
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

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
