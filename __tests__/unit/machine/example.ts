import type { Instance } from '../../../src/google/compute';
import type { DataPlace } from '../../../src/machine/data-place';
import { VM } from '../firewall/fixtures';

/** An instance with a boot disk and a data disk. */
export const MACHINE: Instance = {
  ...VM,
  disks: [
    ...VM.disks,
    { name: 'data-1', device: 'data', boot: false, regional: false, scratch: false, autoDelete: false },
    { name: '', device: 'local-ssd-0', boot: false, regional: false, scratch: true, autoDelete: true },
  ],
};

/** Data on the data disk. */
export const PLACE: DataPlace = {
  path: '/srv/registry',
  mount: '/srv/registry',
  fileSystem: 'ext4',
  source: '/dev/sdb',
  devices: ['data'],
  unnamed: 0,
  free: [],
  holdsData: true,
  answers: true,
  wasThere: true,
  recordedMount: '/srv/registry',
};
