import { ensureCertificates } from '../cloud/certificates.ts';
import { publicName } from '../cloud/names.ts';
import { LAB, prefixOf } from '../number.ts';
import { cacheFolder } from './checkout.ts';
import { CONTROL_SOCKET, control } from './control.ts';
import { instanceName, PROJECT, ZONE } from './instance.ts';
import { externalIp, GATEWAY, internalIp, RUNNER_IP, SUBNET } from './network.ts';
import { COVERAGE_ON_HOST } from './runner.ts';

/** Shell commands that export what other tools need to know of the lab, with a fresh access token. */
export async function environment(): Promise<string> {
  const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', {});
  const values: Readonly<Record<string, string>> = {
    LAB_PROJECT: PROJECT,
    LAB_ZONE: ZONE,
    LAB_INSTANCE: instanceName(1),
    LAB_INSTANCE_IP: externalIp(1),
    LAB_INSTANCE_HOST: publicName(instanceName(1)),
    LAB_NUMBER: String(LAB),
    LAB_CONTAINER_PREFIX: `${prefixOf(LAB)}-`,
    LAB_SUBNET: SUBNET,
    LAB_RUNNER_IP: RUNNER_IP,
    LAB_INSTANCE_INTERNAL_IP: internalIp(1),
    // The host as the instances see it: what `source-ranges` takes to admit a browser here.
    LAB_HOST_ADDRESS: GATEWAY,
    LAB_COMPUTE_URL: `https://${GATEWAY}/compute/v1/`,
    LAB_CA_FILE: ensureCertificates(cacheFolder('certificates')).caFile,
    LAB_ACCESS_TOKEN: accessToken,
    LAB_CONTROL_SOCKET: CONTROL_SOCKET,
    LAB_COVERAGE: COVERAGE_ON_HOST,
  };
  return Object.entries(values)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}
