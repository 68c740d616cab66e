import type { Instance } from '../google/compute';
import type { Labels } from '../google/storage';

type Named = Pick<Instance, 'project' | 'zone' | 'name'>;

const MARK = /Managed by gce-registry-action\. instance=(\S+)$/;

/** Names an instance among all of a region's, whoever made it anew. */
export function identityOf({ project, zone, name }: Named): string {
  return `${project}/${zone}/${name}`;
}

/** What a resource is for, for people and for later runs. */
export function descriptionOf(what: string, vm: Named): string {
  return `${what} of instance ${vm.name}. Managed by gce-registry-action. instance=${identityOf(vm)}`;
}

/** Whether a description is of a resource that the action has made for this instance. */
export function isOurs(description: string, vm: Named): boolean {
  return MARK.exec(description)?.[1] === identityOf(vm);
}

/** Of the snapshots and disks of this instance's images. A project's name may hold what no label may. */
export function labelsOf({ zone, name }: Named): Labels {
  return { 'gce-registry-instance': name, 'gce-registry-zone': zone };
}

export const KIND = 'gce-registry-kind';
/** Of a disk: the snapshot that it was made from. */
export const SNAPSHOT = 'gce-registry-snapshot';
/** Of a disk: `restoring` until the data is served from it. */
export const STATE = 'gce-registry-state';

/** Whether labels are those of this instance. */
export function isLabelledFor(labels: Labels, vm: Named): boolean {
  return Object.entries(labelsOf(vm)).every(([key, value]) => labels[key] === value);
}
