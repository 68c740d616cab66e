import { computeClients, loadAhead } from '../google/clients';
import type { Compute, FirewallRule, Instance } from '../google/compute';
import { fetchToken, prepareCredentials } from '../google/credentials';
import { googleCompute } from '../google/google-compute';
import { googleStorage } from '../google/google-storage';
import type { Storage } from '../google/storage';
import { ActionError } from '../values/errors';
import { show } from '../values/show';
import type { Run } from './run';

/** The VM of a run, as Google knows it. */
export interface Place {
  readonly compute: Compute;
  readonly storage: Storage;
  readonly vm: Instance;
  /** Rules of the project that the instance's network is in. */
  readonly rules: Promise<readonly FirewallRule[]>;
}

/** Finds the instance. */
export async function findPlace(run: Run): Promise<Place> {
  const google = await run.reach.google(run);
  return placeOf(google, await readRunningInstance(google.compute));
}

/** Begins to read the rules around an instance; whoever needs them waits, and sees the error if there is one. */
export function placeOf({ compute, storage }: Pick<Place, 'compute' | 'storage'>, vm: Instance): Place {
  const rules = compute.listFirewallRules(vm.network.project);
  rules.catch(() => undefined);
  return { compute, storage, vm, rules };
}

/** The run's way to Google Cloud. */
export interface Google {
  readonly project: string;
  readonly compute: Compute;
  readonly storage: Storage;
  /** The credentials, in words. */
  readonly describe: string;
}

/** Authenticates, and settles which project the instance is in. */
export async function openGoogle({
  settings,
  google,
  log,
}: Pick<Run, 'settings' | 'google' | 'log'>): Promise<Google> {
  const authentication = prepareCredentials(settings.credentials, google, log);
  const { zone, instance } = settings.vm;
  const project = settings.vm.project ?? authentication.projectId;
  if (project === null) {
    throw new ActionError('No project', {
      doing: `looking for instance ${instance}`,
      happened: 'neither the settings nor the credentials name a project',
      next: 'Set the input `project-id`',
    });
  }
  const clients = computeClients(authentication);
  // Whoever needs a client sees why it could not be made.
  loadAhead(clients).catch(() => undefined);
  await fetchToken(authentication);
  log.info(`Google Cloud: ${authentication.describe}, project ${project}`);
  const name = { project, zone, instance };
  const compute = googleCompute(name, clients, { log });
  const storage = googleStorage(name, clients, { log });
  return { project, compute, storage, describe: authentication.describe };
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
