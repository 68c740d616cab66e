import type { Plan } from '../converge/change';
import type { Target, Verdict } from '../converge/target';
import type { Compute, Instance } from '../google/compute';
import type { Disk, Snapshot, Storage } from '../google/storage';
import type { DataPlace } from './data-place';
import { labelsOf, SNAPSHOT, STATE } from './identity';
import { isLost, LATEST, planRestore, type RestoreState, unfinishedDisk } from './restore-plan';
import type { MachineAction, MachineStep } from './step';

type Mount = Extract<MachineAction, { kind: 'mount-disk' }>;

export interface RestoreTargetOptions {
  readonly compute: Compute;
  readonly storage: Storage;
  /** Name of a snapshot, or `latest`. */
  readonly from: string;
  readonly readPlace: () => Promise<DataPlace>;
  /** Mounts a disk on the instance; false where another run has changed the instance meanwhile. */
  readonly mount: (action: Mount) => Promise<boolean>;
}

/** The data of the registry, as a snapshot has it, as a target. */
export function restoreTarget(options: RestoreTargetOptions): Target<RestoreState, MachineStep> {
  return {
    name: 'machine',
    read: () => readRestore(options),
    plan: (state) => planRestore(options.from, state),
    apply: (_, plan) => applyRestore(options, plan),
  };
}

async function readRestore({
  compute,
  storage,
  from,
  readPlace,
}: RestoreTargetOptions): Promise<RestoreState> {
  const [vm, place, disks] = await Promise.all([compute.getInstance(), readPlace(), storage.listDisks()]);
  return { vm, place, disks, snapshot: await snapshotFor(storage, from, { vm, place, disks }) };
}

/** The one that was begun with, where there is one: a newer one may have been taken since. */
async function snapshotFor(
  storage: Storage,
  from: string,
  state: { readonly vm: Instance; readonly place: DataPlace; readonly disks: readonly Disk[] },
): Promise<Snapshot | null> {
  const name = unfinishedDisk(from, state)?.labels[SNAPSHOT] ?? (from === LATEST ? null : from);
  if (name !== null) return ready(await storage.getSnapshot(name));
  if (!isLost(state.place)) return null;
  const all = await storage.listSnapshots(labelsOf(state.vm));
  const [newest = null] = all.filter((each) => ready(each)).sort((a, b) => b.created - a.created);
  return newest;
}

const ready = (snapshot: Snapshot | null): Snapshot | null =>
  snapshot?.status === 'READY' ? snapshot : null;

async function applyRestore(
  options: RestoreTargetOptions,
  { steps }: Plan<MachineStep>,
): Promise<Verdict<RestoreState, MachineStep>> {
  const done: MachineStep[] = [];
  for (const step of steps) {
    if (!(await applyStep(options, step.action))) return { kind: 'outdated', done };
    done.push(step);
  }
  return { kind: 'applied', done };
}

/** False where another run has attached it meanwhile. */
async function attachDisk({ compute, storage }: RestoreTargetOptions, name: string): Promise<boolean> {
  try {
    await storage.attachDisk(name, name);
    return true;
  } catch (error) {
    const { disks } = await compute.getInstance();
    if (disks.some((disk) => disk.name === name)) return false;
    throw error;
  }
}

/** False where somebody else was faster. */
async function applyStep(options: RestoreTargetOptions, action: MachineAction): Promise<boolean> {
  const { storage } = options;
  switch (action.kind) {
    case 'create-disk':
      return storage.insertDisk(action.disk);
    case 'attach-disk':
      return attachDisk(options, action.disk);
    case 'mount-disk':
      return options.mount(action);
    case 'detach-disk':
      // Whatever else is mounted from it goes on.
      if ((await options.readPlace()).free.includes(action.device)) await storage.detachDisk(action.device);
      return true;
    case 'settle-disk': {
      const disk = await storage.getDisk(action.disk);
      return disk !== null && storage.setDiskLabels(disk, { ...disk.labels, [STATE]: 'restored' });
    }
    default:
      throw new Error(`${action.kind} is no step of a restoration`);
  }
}
