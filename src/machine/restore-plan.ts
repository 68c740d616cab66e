import type { Plan } from '../converge/change';
import type { AttachedDisk, Instance } from '../google/compute';
import type { Disk, Snapshot } from '../google/storage';
import { ActionError } from '../values/errors';
import { restoredDiskName } from '../values/names';
import { show } from '../values/show';
import type { DataPlace } from './data-place';
import { descriptionOf, isLabelledFor, KIND, labelsOf, SNAPSHOT, STATE } from './identity';
import { type MachineStep, machineStep } from './step';

/** Name of a snapshot, or this. */
export const LATEST = 'latest';

export interface RestoreState {
  readonly vm: Instance;
  readonly place: DataPlace;
  /** Of the instance's zone. */
  readonly disks: readonly Disk[];
  /** That is to be restored; null: there is none. */
  readonly snapshot: Snapshot | null;
}

/** The data cannot be read where it was, or was never there. */
export function isLost({ holdsData, answers }: DataPlace): boolean {
  return !holdsData || !answers;
}

/** A disk of an earlier run that was cut off; null: there is none. */
export function unfinishedDisk(from: string, { vm, disks }: Pick<RestoreState, 'vm' | 'disks'>): Disk | null {
  const ours = disks.filter(({ labels }) => isLabelledFor(labels, vm) && labels[STATE] === 'restoring');
  return ours.find(({ labels }) => from === LATEST || labels[SNAPSHOT] === from) ?? null;
}

/**
 * What it takes until the data of a snapshot is mounted at the data path. `latest` is for data that is lost; a name is
 * for once: the disk's labels say what it was made from.
 *
 * @throws ActionError `No snapshot to restore from`, `The data disk is there, and not mounted`, `The snapshot is of a boot
 *   disk`
 */
export function planRestore(from: string, state: RestoreState): Plan<MachineStep> {
  const { vm, place, disks } = state;
  const unfinished = unfinishedDisk(from, state);
  const present = vm.disks.find(({ device }) => place.devices.length === 1 && device === place.devices[0]);
  const isDone = from === LATEST ? !isLost(place) : isRestored(from, state, present);
  if (isDone && (unfinished === null || unfinished.name !== present?.name)) return { steps: [], notes: [] };
  if (unfinished === null) requireLost(from, state);
  const { snapshot } = state;
  if (snapshot === null && unfinished === null) return withoutSnapshot(from, place);
  if (snapshot !== null) requireDataDisk(snapshot);
  const name = unfinished?.name ?? freeName(vm, disks, snapshot);
  const source = unfinished?.labels[SNAPSHOT] ?? snapshot?.name ?? '';
  const why = from === LATEST ? 'the data is lost' : 'data-disk-snapshot names it';
  return {
    steps: [
      ...(unfinished === null && snapshot !== null ? [creation(state, name, snapshot, why)] : []),
      ...attachment(vm, name),
      ...mounting(place, name, source, present),
      ...detachment(state, name, present),
      machineStep(
        { kind: 'settle-disk', disk: name },
        `label ${STATE} of disk ${name}`,
        'restoring',
        'restored',
        'a later run is to know that it is done',
      ),
    ],
    notes: [],
  };
}

function isRestored(
  from: string,
  { disks, place }: RestoreState,
  present: AttachedDisk | undefined,
): boolean {
  const disk = disks.find(({ name }) => name === present?.name);
  return disk?.labels[SNAPSHOT] === from && !isLost(place);
}

/** Newer data may be on a disk that only is not mounted. Whoever names a snapshot has decided. */
function requireLost(from: string, { vm, place, disks, snapshot }: RestoreState): void {
  if (from !== LATEST || snapshot === null) return;
  const free = place.free.filter((device) => {
    const disk = disks.find(({ name }) => name === vm.disks.find((each) => each.device === device)?.name);
    return disk?.labels[STATE] !== 'restoring';
  });
  if (free.length === 0) return;
  throw new ActionError('The data disk is there, and not mounted', {
    doing: `looking for the registry's data in ${show(place.path)}`,
    happened: `it is not there, and ${free.map((each) => show(each)).join(', ')} of ${vm.name} has a file system that is not mounted`,
    next: `Mount it (\`sudo mount /dev/disk/by-id/google-NAME ${show(place.path)}\`, with an entry in /etc/fstab), detach it if it is something else, or name a snapshot in data-disk-snapshot; then run again`,
  });
}

/** A registry that is set up the first time has none yet. */
function withoutSnapshot(from: string, place: DataPlace): Plan<MachineStep> {
  if (from === LATEST && !place.wasThere)
    return { steps: [], notes: ['there is no snapshot yet that the images could come from'] };
  throw new ActionError('No snapshot to restore from', {
    doing: `looking for the snapshot that the images in ${show(place.path)} are to come from`,
    happened:
      from === LATEST
        ? 'no snapshot in the project has the labels of this instance, or none is ready'
        : `there is no snapshot ${show(from)} in the project, or it is not ready`,
    next: 'Look at `gcloud compute snapshots list`, and name one in data-disk-snapshot; or leave that out',
  });
}

function requireDataDisk({ name, isOfSystem, labels }: Snapshot): void {
  if (!isOfSystem && labels[KIND] !== 'boot') return;
  throw new ActionError('The snapshot is of a boot disk', {
    doing: `restoring the images from snapshot ${name}`,
    happened: 'it has a whole system in its partitions, which a running instance cannot take for its own',
    next:
      `Make an instance of it: \`gcloud compute disks create NAME --source-snapshot=${name} --zone=ZONE\`, ` +
      '`gcloud compute instances create INSTANCE --disk=name=NAME,boot=yes --zone=ZONE`, and set instance to that',
  });
}

/** The same each time until the disk is there, so that runs which meet make one disk. */
function freeName(vm: Instance, disks: readonly Disk[], snapshot: Snapshot | null): string {
  const taken = new Set(disks.map(({ name }) => name));
  for (let attempt = 1; ; attempt++) {
    const name = restoredDiskName(vm.name, snapshot?.id ?? '', attempt);
    if (!taken.has(name)) return name;
  }
}

function creation({ vm, disks }: RestoreState, name: string, snapshot: Snapshot, why: string): MachineStep {
  const disk = {
    name,
    description: descriptionOf("The registry's images, restored from a snapshot,", vm),
    type: disks.find((each) => each.name === snapshot.disk)?.type ?? 'pd-balanced',
    snapshot: snapshot.name,
    labels: { ...labelsOf(vm), [SNAPSHOT]: snapshot.name, [STATE]: 'restoring' },
  };
  const to = `${snapshot.sizeGb} GB (${disk.type}) from snapshot ${snapshot.name}`;
  return machineStep({ kind: 'create-disk', disk }, `disk ${name}`, null, to, why);
}

function attachment(vm: Instance, name: string): MachineStep[] {
  if (vm.disks.some((disk) => disk.name === name)) return [];
  return [
    machineStep(
      { kind: 'attach-disk', disk: name },
      `disk ${name} on ${vm.name}`,
      null,
      '',
      'the data is to be there',
    ),
  ];
}

function mounting(
  place: DataPlace,
  name: string,
  source: string,
  present: AttachedDisk | undefined,
): MachineStep[] {
  if (present?.name === name && !isLost(place)) return [];
  const mount = mountFor(place);
  return [
    machineStep(
      { kind: 'mount-disk', device: name, mount, path: place.path },
      `file system at ${mount}`,
      place.mount === mount ? show(place.source) : null,
      `disk ${name}`,
      `the data is to be that of snapshot ${source}`,
    ),
  ];
}

/** Where the last disk was mounted, which may be above the data. */
function mountFor({ recordedMount: recorded, path }: DataPlace): string {
  const isAbove = recorded.startsWith('/') && recorded !== '/' && `${path}/`.startsWith(`${recorded}/`);
  return isAbove ? recorded : path;
}

/** The disk before it, or what is left of it: attached it could be taken for the new one, as they have the same UUID. */
function detachment(
  { vm, place, disks, snapshot }: RestoreState,
  name: string,
  present: AttachedDisk | undefined,
): MachineStep[] {
  const isOld = (disk: AttachedDisk): boolean => {
    if (disk.boot || disk.scratch || disk.name === name) return false;
    if (disk === present) return place.mount === mountFor(place);
    const labels = disks.find((each) => each.name === disk.name)?.labels ?? {};
    const isKnown = disk.name === snapshot?.disk || isLabelledFor(labels, vm);
    return isKnown && place.free.includes(disk.device);
  };
  return vm.disks
    .filter(isOld)
    .map((disk) =>
      machineStep(
        { kind: 'detach-disk', device: disk.device },
        `disk ${disk.name} on ${vm.name}`,
        '',
        null,
        `${name} takes its place; it is kept (\`gcloud compute disks delete ${disk.name} --zone=${vm.zone}\` deletes it)`,
      ),
    );
}
