import { type HeldTunnel, takeTunnel } from '../leases/tunnel';
import { type Endpoint, registryName, socketHost } from '../registry/endpoint';
import { jobProcess } from '../runner/host';
import type { Site } from './log-in';
import type { RegistryAddress } from './registry-address';
import type { Run } from './run';

/** By what this run, and the Docker of its job, reach the registry. */
export interface Way extends Pick<Endpoint, 'host' | 'port' | 'serverName'> {
  /** `host:port`: the domain of references, as this runner's Docker needs it. */
  readonly name: string;
  /** Null where there is none. */
  readonly tunnel: HeldTunnel | null;
}

/** The address that everybody has. */
export function directWay({ host, port }: Pick<RegistryAddress, 'host' | 'port'>): Way {
  return { host, port, serverName: null, name: registryName({ host, port }), tunnel: null };
}

/**
 * The way that the settings ask for. With `route: ssh` a tunnel is opened, which lasts until the job ends; in a dry run
 * only the log says so.
 *
 * Docker speaks to the loopback without a look at certificates, with TLS or without
 * (https://docs.docker.com/reference/cli/dockerd/#insecure-registries), so neither daemon.json nor certs.d says anything
 * of it: it is SSH that knows the instance. This run's own calls do look, for the name that the registry has elsewhere.
 *
 * @throws ActionError `SSH forwarding is not allowed`, `Tunnel not opened`
 */
export async function openWay(
  run: Run,
  { connection }: Pick<Site, 'connection'>,
  address: RegistryAddress,
): Promise<Way> {
  const { settings, reach, leases, log, host } = run;
  if (settings.route === 'direct') return directWay(address);
  if (settings.dryRun || connection === null) {
    log.info(`route: would lead a port of this runner's loopback to the registry, through SSH`);
    return directWay(address);
  }
  const order = { login: connection.login, target: address.port, job: await jobProcess(host) };
  const tunnel = await takeTunnel(reach.tunnel, order, leases);
  const local = { host: '127.0.0.1', port: tunnel.port };
  const name = registryName(local);
  log.info(`route: ${name} of this runner leads to the registry, through SSH, until the post step`);
  return { ...local, serverName: socketHost(address), name, tunnel };
}
