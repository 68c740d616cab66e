import type { AttachedDisk, Instance } from '../google/compute';
import type { Snapshot, Storage } from '../google/storage';
import type { Log } from '../job/log';
import { snapshotName } from '../values/names';
import { descriptionOf, KIND, labelsOf } from './identity';

const DAY_MS = 24 * 60 * 60_000;

export interface TakeSnapshot {
  readonly storage: Storage;
  readonly log: Log;
  readonly vm: Instance;
  /** The disk with the data. */
  readonly disk: AttachedDisk;
  /** What it is taken before; null: it is asked for by itself. */
  readonly before: 'prune' | 'update' | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Is called when it shows the disk at its moment. */
  readonly onTaken?: () => void;
}

/** What a snapshot of now is called. */
export function nameNow(vm: Instance, now: number): string {
  return snapshotName(vm.name, new Date(now));
}

/** Takes a snapshot of the disk, and waits until it can be restored from. */
export async function takeSnapshot({
  storage,
  log,
  vm,
  disk,
  before,
  now,
  onTaken,
}: TakeSnapshot): Promise<Snapshot> {
  const name = nameNow(vm, now);
  const kind = disk.boot ? 'boot' : 'data';
  log.info(`machine: taking snapshot ${name} of disk ${disk.name}`);
  const snapshot = await storage.createSnapshot(
    disk.name,
    {
      name,
      description: descriptionOf(
        `The registry's images${before === null ? '' : `, before a ${before},`}`,
        vm,
      ),
      labels: {
        ...labelsOf(vm),
        [KIND]: kind,
        ...(before === null ? {} : { 'gce-registry-before': before }),
      },
    },
    onTaken,
  );
  log.info(`machine: snapshot ${name} is ready`);
  return snapshot;
}

/**
 * Snapshots that are older than is asked for, of those beside the one that has just been taken: Google deletes those of a
 * schedule by itself.
 */
export function outdatedSnapshots(
  others: readonly Snapshot[],
  { keepDays, now }: { readonly keepDays: number; readonly now: number },
): readonly Snapshot[] {
  return others.filter(
    ({ status, labels, created }) =>
      status === 'READY' && labels[KIND] !== 'scheduled' && now - created > keepDays * DAY_MS,
  );
}
