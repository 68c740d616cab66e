import { ActionError } from '../errors';
import { computeClients } from '../gcp/clients';
import type { Compute, Instance } from '../gcp/compute';
import { authenticate } from '../gcp/credentials';
import { googleCompute } from '../gcp/google-compute';
import type { Run } from '../run';
import { show } from '../show';

/** The run's way to Google Cloud. */
export interface Google {
  readonly project: string;
  readonly compute: Compute;
  /** The credentials, in words. */
  readonly describe: string;
}

/** Authenticates, and settles which project the instance is in. */
export async function openGoogle({ inputs, google, log }: Run): Promise<Google> {
  const authentication = await authenticate(inputs.credentials, google, log);
  const { zone, instance } = inputs.vm;
  const project = inputs.vm.project ?? authentication.projectId;
  if (project === null) {
    throw new ActionError('No project', {
      doing: `looking for instance ${instance}`,
      happened: 'neither the inputs nor the credentials name a project',
      next: 'Set the input `project-id`',
    });
  }
  log.info(`Google Cloud: ${authentication.describe}, project ${project}`);
  const clients = computeClients(authentication);
  const compute = googleCompute({ project, zone, instance }, clients, { log });
  return { project, compute, describe: authentication.describe };
}

/**
 * Reads the instance, and refuses one that no run can reach.
 *
 * @throws ActionError `The instance is not running`
 */
export async function readRunningInstance(compute: Compute): Promise<Instance> {
  const vm = await compute.getInstance();
  if (vm.status !== 'RUNNING') {
    throw new ActionError('The instance is not running', {
      doing: `looking for instance ${vm.name}`,
      happened: `its state is ${show(vm.status)}`,
      next:
        vm.status === 'PROVISIONING' || vm.status === 'STAGING'
          ? 'Wait until it has started, then run again'
          : `Start it (\`gcloud compute instances start ${vm.name} --zone ${vm.zone}\`), then run again`,
    });
  }
  return vm;
}

/** Where this runner reaches the instance: its external address, or, without one, its internal address. */
export function addressOf(vm: Instance): string {
  return vm.externalIp ?? vm.internalIp;
}
