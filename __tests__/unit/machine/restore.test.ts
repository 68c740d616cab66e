import { converge, survey } from '../../../src/converge/converge';
import { describeChange } from '../../../src/converge/describe';
import type { AttachedDisk } from '../../../src/google/compute';
import type { DataPlace } from '../../../src/machine/data-place';
import { planRestore } from '../../../src/machine/restore-plan';
import { restoreTarget } from '../../../src/machine/restore-target';
import { diskOf, FakeStorage, snapshotOf } from '../google/fake-storage';
import { fakeLog } from '../google/fakes';
import { FakeCompute } from '../leases/example';
import { MACHINE, PLACE } from './example';

const LABELS = { 'gce-registry-instance': 'web-1', 'gce-registry-zone': MACHINE.zone };
const SNAPSHOT = snapshotOf('s-2', { labels: LABELS, created: 2 });
const LOST: DataPlace = {
  ...PLACE,
  devices: [],
  unnamed: 0,
  mount: '/',
  holdsData: false,
  recordedMount: '/srv/registry',
};

/** A machine in memory whose disks can be attached and mounted. */
class Machine {
  readonly storage = new FakeStorage();
  readonly compute = new FakeCompute();
  place: DataPlace = PLACE;
  /** After so many changes the run is killed. */
  left = Number.POSITIVE_INFINITY;

  constructor() {
    this.compute.vm = MACHINE;
    this.storage.disks = [diskOf('web-1'), diskOf('data-1', { type: 'pd-ssd' })];
    this.storage.snapshots = [snapshotOf('s-1', { labels: LABELS, created: 1 }), SNAPSHOT];
  }

  lose(place = LOST): void {
    this.place = place;
    this.storage.disks = this.storage.disks.filter(({ name }) => name !== 'data-1');
    this.compute.vm = { ...MACHINE, disks: MACHINE.disks.filter(({ name }) => name !== 'data-1') };
  }

  target(from: string) {
    const { storage, compute } = this;
    const attach = async (name: string, device: string): Promise<void> => {
      this.#count();
      storage.calls.push(`attachDisk ${name}`);
      const disk: AttachedDisk = {
        name,
        device,
        boot: false,
        regional: false,
        scratch: false,
        autoDelete: false,
      };
      compute.vm = { ...compute.vm, disks: [...compute.vm.disks, disk] };
      this.place = { ...this.place, free: [...this.place.free, device] };
    };
    const detach = async (device: string): Promise<void> => {
      this.#count();
      storage.calls.push(`detachDisk ${device}`);
      compute.vm = { ...compute.vm, disks: compute.vm.disks.filter((disk) => disk.device !== device) };
      this.place = { ...this.place, free: this.place.free.filter((each) => each !== device) };
    };
    const counted = Object.assign(Object.create(storage), {
      attachDisk: attach,
      detachDisk: detach,
      insertDisk: (disk: Parameters<FakeStorage['insertDisk']>[0]) => {
        this.#count();
        return storage.insertDisk(disk);
      },
      setDiskLabels: (...words: Parameters<FakeStorage['setDiskLabels']>) => {
        this.#count();
        return storage.setDiskLabels(...words);
      },
      listDisks: async () => storage.disks,
      getDisk: (name: string) => storage.getDisk(name),
      getSnapshot: (name: string) => storage.getSnapshot(name),
      listSnapshots: (labels: Readonly<Record<string, string>>) => storage.listSnapshots(labels),
    });
    return restoreTarget({
      compute,
      storage: counted,
      from,
      readPlace: async () => this.place,
      mount: async ({ device, mount }) => {
        this.#count();
        storage.calls.push(`mount ${device} at ${mount}`);
        const old = this.place.devices.filter((each) => this.compute.vm.disks.some((d) => d.device === each));
        const free = [...this.place.free.filter((each) => each !== device), ...old];
        this.place = { ...PLACE, devices: [device], mount, free };
        return true;
      },
    });
  }

  async run(from: string): Promise<string[]> {
    const surveyed = await survey(this.target(from), { log: fakeLog(), sleep: async () => undefined });
    const { changes } = await converge(surveyed);
    return changes.map(describeChange);
  }

  #count(): void {
    if (this.left <= 0) throw new Error('killed');
    this.left -= 1;
  }
}

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});

test('latest restores nothing where the data is', async () => {
  expect(await machine.run('latest')).toEqual([]);
  expect(machine.storage.calls).toEqual([]);
});

test('a lost disk comes back from the newest snapshot, once', async () => {
  machine.lose();
  const lines = await machine.run('latest');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^add disk web-1-registry-[0-9a-f]{8}-1: 10 GB \(pd-balanced\) from snapshot s-2/);
  expect(await machine.run('latest')).toEqual([]);
  expect(machine.storage.disks.map(({ labels }) => labels['gce-registry-state'])).toEqual([
    undefined,
    'restored',
  ]);
});

test.each([
  ['cannot be read', { ...PLACE, answers: false }],
  ['is empty', { ...PLACE, holdsData: false }],
])('a disk that %s is replaced by one of its kind, and kept', async (_, place) => {
  machine.place = place;
  const lines = await machine.run('latest');
  expect(lines[0]).toContain('(pd-ssd) from snapshot s-2');
  expect(lines.join('\n')).toContain('gcloud compute disks delete data-1 --zone=');
  expect(machine.storage.disks.map(({ name }) => name)).toContain('data-1');
  expect(machine.compute.vm.disks.map(({ name }) => name)).not.toContain('data-1');
});

test('a snapshot by name is restored once, also where there is data', async () => {
  const lines = await machine.run('s-1');
  expect(lines[0]).toContain('from snapshot s-1');
  expect(await machine.run('s-1')).toEqual([]);
  // It is lost again.
  machine.place = LOST;
  expect((await machine.run('s-1'))[0]).toMatch(/-2: 10 GB/);
});

test.each([0, 1, 2, 3, 4, 5])(
  'killed after %i changes, the next run ends it with one disk',
  async (changes) => {
    machine.place = { ...PLACE, holdsData: false };
    machine.left = changes;
    await machine.run('latest').catch(() => undefined);
    machine.left = Number.POSITIVE_INFINITY;
    // One that was taken meanwhile does not change what was begun.
    if (changes > 0) machine.storage.snapshots.push(snapshotOf('s-3', { labels: LABELS, created: 3 }));
    await machine.run('latest');
    const made = machine.storage.disks.filter(({ labels }) => labels['gce-registry-snapshot'] !== undefined);
    expect(made.map(({ labels }) => labels)).toEqual([
      { ...LABELS, 'gce-registry-snapshot': 's-2', 'gce-registry-state': 'restored' },
    ]);
    expect(machine.place.devices).toEqual([made[0]?.name]);
    expect(machine.compute.vm.disks.map(({ name }) => name)).toEqual(['web-1', '', made[0]?.name]);
    expect(await machine.run('latest')).toEqual([]);
  },
);

test('a mount above the data is taken again; one of elsewhere is not', () => {
  const state = { vm: MACHINE, disks: [], snapshot: SNAPSHOT };
  const mountOf = (place: DataPlace) =>
    planRestore('latest', { ...state, place }).steps.flatMap(({ action }) =>
      action.kind === 'mount-disk' ? action.mount : [],
    );
  expect(mountOf({ ...LOST, recordedMount: '/srv' })).toEqual(['/srv']);
  expect(mountOf({ ...LOST, recordedMount: '/srv/reg' })).toEqual(['/srv/registry']);
  expect(mountOf({ ...LOST, recordedMount: '/' })).toEqual(['/srv/registry']);
  expect(mountOf({ ...LOST, recordedMount: '' })).toEqual(['/srv/registry']);
});

test('a disk that has other things mounted stays', () => {
  const place = { ...PLACE, holdsData: false, mount: '/srv', recordedMount: '' };
  const { steps } = planRestore('latest', { vm: MACHINE, disks: [], snapshot: SNAPSHOT, place });
  expect(steps.map(({ action }) => action.kind)).not.toContain('detach-disk');
});

test.each<[string, string, Partial<Parameters<typeof planRestore>[1]>, string]>([
  ['there is none of that name', 's-9', { snapshot: null }, 'No snapshot to restore from'],
  ['data was there, and there is none', 'latest', { snapshot: null }, 'No snapshot to restore from'],
  [
    'the disk only is not mounted',
    'latest',
    { place: { ...LOST, free: ['data'] } },
    'The data disk is there, and not mounted',
  ],
  [
    'it is of a boot disk',
    'latest',
    { snapshot: { ...SNAPSHOT, isOfSystem: true } },
    'The snapshot is of a boot disk',
  ],
  [
    'its label says that it is of a boot disk',
    's-2',
    { snapshot: { ...SNAPSHOT, labels: { 'gce-registry-kind': 'boot' } } },
    'The snapshot is of a boot disk',
  ],
])('%s: that is said', (_, from, changes, title) => {
  const state = { vm: MACHINE, disks: [], snapshot: SNAPSHOT, place: LOST, ...changes };
  expect(() => planRestore(from, state)).toThrow(expect.objectContaining({ title }));
});

test('a registry that is set up the first time has no snapshot yet', () => {
  const place = { ...LOST, wasThere: false };
  const plan = planRestore('latest', { vm: MACHINE, disks: [], snapshot: null, place });
  expect(plan).toEqual({ steps: [], notes: ['there is no snapshot yet that the images could come from'] });
});
