import { attempt, docker, LabError } from './process.ts';

/** The documentation range TEST-NET-2 (RFC 5737) plays the internet: "external" addresses of instances and runner. */
export const NETWORK = 'gcelab';
export const BRIDGE = 'gcelab0';
export const SUBNET = '198.51.100.0/24';
export const RUNNER_IP = '198.51.100.10';

/** External address of instance number 1, 2, … */
export function externalIp(number: number): string {
  return `198.51.100.${lastOctet(number)}`;
}

/** Internal address of instance number 1, 2, …, as the Compute API shows it. */
export function internalIp(number: number): string {
  return `10.132.0.${lastOctet(number)}`;
}

function lastOctet(number: number): number {
  if (number < 1 || number > 200) throw new LabError('The lab has instances registry-1 to registry-200.');
  return 19 + number;
}

/** Makes the Docker network of the machines unless it is there. */
export async function ensureNetwork(gateway: string): Promise<void> {
  const inspection = await attempt('docker', ['network', 'inspect', NETWORK]);
  if (inspection.status === 0) return;
  await attempt('ip', ['link', 'delete', BRIDGE]);
  await docker([
    ...['network', 'create', '--subnet', SUBNET, '--gateway', gateway],
    ...['--opt', `com.docker.network.bridge.name=${BRIDGE}`, '--label', 'gcelab', NETWORK],
  ]);
}
