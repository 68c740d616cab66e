import { ActionError, type Problem } from '../../values/errors';
import type { DiskFacts, Facts } from '../facts/facts';

const MIB = 1024 * 1024;

/** Code of the errors that say so. */
export const NO_ROOM = 'no-room';

/** What an installation of Docker with the images takes, generously. */
const INSTALLATION = { bytes: 1536 * MIB, inodes: 30_000 };
const IMAGES = { bytes: 256 * MIB, inodes: 5_000 };

/** @throws ActionError `Too little disk space` */
export function requireDisk(facts: Facts, work: { readonly install: boolean; readonly pull: boolean }): void {
  if (work.install) requireSpace(facts, 'root', INSTALLATION);
  if (work.pull) requireSpace(facts, 'docker', IMAGES);
}

/** How much room a disk has left: enough; so little that somebody should see to it; or so little that pushes are about to fail. */
export type Room = 'enough' | 'little' | 'hardly-any';

/** Below this part of the disk, or of its inodes; a large disk has time with less of it. */
const LITTLE = { part: 0.15, bytes: 20 * 1024 * MIB };
const HARDLY_ANY = { part: 0.03, bytes: 2 * 1024 * MIB };

/** The room of a disk, by its bytes and by its inodes. */
export function roomOf({ size, available, inodes, inodesAvailable }: DiskFacts): Room {
  const isBelow = ({ part, bytes }: typeof LITTLE) =>
    // Btrfs and others count no inodes.
    available < Math.min(size * part, bytes) || (inodes > 0 && inodesAvailable < inodes * part);
  if (isBelow(HARDLY_ANY)) return 'hardly-any';
  return isBelow(LITTLE) ? 'little' : 'enough';
}

/** Whether somebody should see to the disk that the registry's data is on. */
export function lacksRoom({ disks }: Facts): boolean {
  return disks.some((disk) => disk.name === 'data' && roomOf(disk) !== 'enough');
}

/** Less than this is none: the registry writes state beside every layer. */
const NO_ROOM_BYTES = 16 * MIB;

/**
 * For a push that failed: a registry whose disk is full answers 500 like any other that fails.
 *
 * @throws ActionError `Registry disk is full`
 */
export function requireRoomForImages(facts: Facts): void {
  const disk = facts.disks.find(({ name }) => name === 'data');
  if (disk === undefined) return;
  const full = disk.available < NO_ROOM_BYTES || (disk.inodes > 0 && disk.inodesAvailable === 0);
  if (!full) return;
  throw new ActionError(
    'Registry disk is full',
    {
      doing: 'storing the image in the registry',
      happened: `the disk at ${disk.mount} of the instance has ${Math.floor(disk.available / MIB)} MiB and ${disk.inodesAvailable} inodes free`,
      next: 'Delete images with `mode: prune`, or enlarge the disk; then run again',
    },
    { code: NO_ROOM },
  );
}

function requireSpace(facts: Facts, name: string, need: { bytes: number; inodes: number }): void {
  const disk = facts.disks.find((candidate) => candidate.name === name);
  if (disk === undefined) return;
  const doing = `checking the disk at ${disk.mount} of the instance`;
  if (disk.available < need.bytes) {
    throw tooLittle({
      doing,
      happened: `${Math.floor(disk.available / MIB)} MiB are free, and ${need.bytes / MIB} MiB are needed`,
      next: 'Free some space, or enlarge the disk of the instance',
    });
  }
  // Some file systems, as btrfs, have no fixed number of inodes and report 0.
  if (disk.inodes > 0 && disk.inodesAvailable < need.inodes) {
    throw tooLittle({
      doing,
      happened: `${disk.inodesAvailable} inodes are free, and ${need.inodes} are needed`,
      next: 'Remove files, or use a larger disk',
    });
  }
}

function tooLittle(problem: Problem): ActionError {
  return new ActionError('Too little disk space', problem, { code: NO_ROOM });
}
