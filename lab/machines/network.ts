import { bridgeOf, gatewayOf, LAB, labelOf, networkOf, prefixOf } from '../number.ts';
import { attempt, docker, LabError } from './process.ts';

/** The Docker network of this lab's machines, whose addresses are their external ones. */
export const NETWORK = prefixOf(LAB);
export const BRIDGE = bridgeOf(LAB);
export const SUBNET = `${networkOf(LAB)}.0/24`;
/** This host, as the machines see it. */
export const GATEWAY = gatewayOf(LAB);
export const RUNNER_IP = `${networkOf(LAB)}.10`;

/** External address of instance number 1, 2, … */
export function externalIp(number: number): string {
  return `${networkOf(LAB)}.${lastOctet(number)}`;
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
export async function ensureNetwork(): Promise<void> {
  const inspection = await attempt('docker', ['network', 'inspect', NETWORK]);
  if (inspection.status === 0) return;
  await attempt('ip', ['link', 'delete', BRIDGE]);
  await docker([
    ...['network', 'create', '--subnet', SUBNET, '--gateway', GATEWAY],
    ...['--opt', `com.docker.network.bridge.name=${BRIDGE}`, '--label', labelOf(LAB), NETWORK],
  ]);
}
