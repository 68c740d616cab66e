import { ActionError } from '../../values/errors';
import type { Facts } from '../facts/facts';

const MIB = 1024 * 1024;

/** What an installation of Docker with the images takes, generously. */
const INSTALLATION = { bytes: 1536 * MIB, inodes: 30_000 };
const IMAGES = { bytes: 256 * MIB, inodes: 5_000 };

/** @throws ActionError `Too little disk space` */
export function requireDisk(facts: Facts, work: { readonly install: boolean; readonly pull: boolean }): void {
  if (work.install) requireSpace(facts, 'root', INSTALLATION);
  if (work.pull) requireSpace(facts, 'docker', IMAGES);
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
  throw new ActionError('Registry disk is full', {
    doing: 'storing the image in the registry',
    happened: `the disk at ${disk.mount} of the instance has ${Math.floor(disk.available / MIB)} MiB and ${disk.inodesAvailable} inodes free`,
    next: 'Delete images and collect the garbage of the registry, or enlarge the disk; then run again',
  });
}

function requireSpace(facts: Facts, name: string, need: { bytes: number; inodes: number }): void {
  const disk = facts.disks.find((candidate) => candidate.name === name);
  if (disk === undefined) return;
  const doing = `checking the disk at ${disk.mount} of the instance`;
  if (disk.available < need.bytes) {
    throw new ActionError('Too little disk space', {
      doing,
      happened: `${Math.floor(disk.available / MIB)} MiB are free, and ${need.bytes / MIB} MiB are needed`,
      next: 'Free some space, or enlarge the disk of the instance',
    });
  }
  // Some file systems, as btrfs, have no fixed number of inodes and report 0.
  if (disk.inodes > 0 && disk.inodesAvailable < need.inodes) {
    throw new ActionError('Too little disk space', {
      doing,
      happened: `${disk.inodesAvailable} inodes are free, and ${need.inodes} are needed`,
      next: 'Remove files, or use a larger disk',
    });
  }
}
