import { output, waitFor } from './lab';

/** What the faults of the wire did since the first of them was turned on. */
export interface Struck {
  readonly sshDrops: number;
  /** The most bytes that an SSH connection carried. */
  readonly sshBytes: number;
  readonly badGateways: number;
  readonly registryResets: number;
  /** Answers of the registry that were lies. */
  readonly lies: number;
  /** GET requests at the place that redirects lead to. */
  readonly elsewhere: number;
}

/** Asks the relay between runner and instance, which is there while a fault of the wire is on. */
export async function struck(instance = 'registry-1'): Promise<Struck> {
  const socket = `/run/gcelab-relay-${instance}/control.sock`;
  return JSON.parse(await output('runner', `curl -fsS --unix-socket ${socket} http://relay/`)).struck;
}

/** Waits until a megabyte of a layer, which is not whole yet, has arrived at the registry. */
export async function uploadBegun(repository: string, instance = 'registry-1'): Promise<void> {
  const uploads = '/var/lib/docker/volumes/gce-registry_registry-data/_data/docker/registry/v2/repositories';
  await waitFor(instance, `find ${uploads}/${repository}/_uploads -name data -size +1M | grep -q .`, 180);
}
