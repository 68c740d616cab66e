import { computeClients, loadAhead } from '../../google/clients';
import type { Compute, Instance } from '../../google/compute';
import { fetchToken, prepareCredentials } from '../../google/credentials';
import { googleCompute } from '../../google/google-compute';
import { ActionError } from '../../values/errors';
import { show } from '../../values/show';
import type { Run } from '../run';

/** The run's way to Google Cloud. */
export interface Google {
  readonly project: string;
  readonly compute: Compute;
  /** The credentials, in words. */
  readonly describe: string;
}

/** Authenticates, and settles which project the instance is in. */
export async function openGoogle(
  { inputs, google, log }: Run,
  options: { readonly operationLimitMs?: number } = {},
): Promise<Google> {
  const authentication = prepareCredentials(inputs.credentials, google, log);
  const { zone, instance } = inputs.vm;
  const project = inputs.vm.project ?? authentication.projectId;
  if (project === null) {
    throw new ActionError('No project', {
      doing: `looking for instance ${instance}`,
      happened: 'neither the inputs nor the credentials name a project',
      next: 'Set the input `project-id`',
    });
  }
  const clients = computeClients(authentication);
  // Whoever needs a client sees why it could not be made.
  loadAhead(clients).catch(() => undefined);
  await fetchToken(authentication);
  log.info(`Google Cloud: ${authentication.describe}, project ${project}`);
  const compute = googleCompute({ project, zone, instance }, clients, { log, ...options });
  return { project, compute, describe: authentication.describe };
}

/**
 * Reads the instance, and refuses one that no run can reach or set up.
 *
 * @throws ActionError `The instance is not running`, `The instance runs Windows`
 */
export async function readRunningInstance(compute: Compute): Promise<Instance> {
  const vm = await compute.getInstance();
  if (vm.status !== 'RUNNING') {
    throw new ActionError('The instance is not running', {
      doing: `looking for instance ${vm.name}`,
      happened: `its state is ${show(vm.status)}`,
      next: `${startAgain(vm)}, then run again`,
    });
  }
  if (vm.windows) {
    throw new ActionError('The instance runs Windows', {
      doing: `looking for instance ${vm.name}`,
      happened: 'its boot disk is one of Windows',
      next: 'Name an instance that runs Debian or Ubuntu in the input instance',
    });
  }
  return vm;
}

/** https://cloud.google.com/compute/docs/instances/instance-lifecycle */
function startAgain({ name, zone, status }: Instance): string {
  const start = (verb: string) => `\`gcloud compute instances ${verb} ${name} --zone ${zone}\``;
  switch (status) {
    case 'PROVISIONING':
    case 'STAGING':
    case 'REPAIRING':
      return 'Wait until it has started';
    case 'STOPPING':
    case 'PENDING_STOP':
      return `Wait until it has stopped, start it (${start('start')})`;
    case 'SUSPENDING':
      return `Wait until it is suspended, resume it (${start('resume')})`;
    case 'SUSPENDED':
      return `Resume it (${start('resume')})`;
    default:
      return `Start it (${start('start')})`;
  }
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
