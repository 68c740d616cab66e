import type { AttachedDisk, Instance } from '../google/compute';
import { ActionError } from '../values/errors';
import { show } from '../values/show';

/** Where the registry's data is, as the instance says. */
export interface DataPlace {
  readonly path: string;
  readonly mount: string;
  readonly fileSystem: string;
  readonly source: string;
  /** Names of the disks below it, as /dev/disk/by-id/google-… has them. */
  readonly devices: readonly string[];
  /** Devices below it that are no disks of Google Cloud. */
  readonly unnamed: number;
  /** Disks with a file system that nothing has mounted. */
  readonly free: readonly string[];
  readonly holdsData: boolean;
  /** The disk itself can be read. */
  readonly answers: boolean;
  /** There was data before. */
  readonly wasThere: boolean;
  /** Where that was mounted; empty where it is not known. */
  readonly recordedMount: string;
}

/**
 * The disk that the data is on.
 *
 * @throws ActionError `The data is on no disk that has snapshots`
 */
export function diskOf(place: DataPlace, vm: Instance): AttachedDisk {
  const [device, ...others] = place.devices;
  const from = `${show(place.fileSystem)} from ${show(place.source)}`;
  if (device === undefined || place.unnamed > 0)
    throw noSnapshots(place, `it is on ${from}, which is no disk of ${vm.name} in Google Cloud`);
  if (others.length > 0) {
    throw noSnapshots(
      place,
      `it is spread over several disks (${place.devices.map((each) => show(each)).join(', ')}), whose snapshots would not be of one moment`,
    );
  }
  const disk = vm.disks.find((each) => each.device === device);
  if (disk === undefined)
    throw noSnapshots(place, `${vm.name} has no disk ${show(device)} any more, and ${from} is still mounted`);
  if (disk.scratch || disk.name === '')
    throw noSnapshots(
      place,
      `it is on a local SSD (${show(device)}), of which Google Cloud takes no snapshots`,
    );
  if (disk.regional)
    throw noSnapshots(place, `it is on the regional disk ${disk.name}, which the action does not look after`);
  return disk;
}

function noSnapshots(place: DataPlace, happened: string): ActionError {
  return new ActionError('The data is on no disk that has snapshots', {
    doing: `looking for the disk with the registry's data in ${show(place.path)}`,
    happened,
    next: 'Put the data on a persistent disk, alone or below LVM, and set data-path; or leave snapshot-schedule out, and keep copies another way (docs/recipes.md)',
  });
}
