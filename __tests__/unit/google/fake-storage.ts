import type {
  Disk,
  Labels,
  NewDisk,
  NewSnapshot,
  SchedulePolicy,
  Snapshot,
  Storage,
} from '../../../src/google/storage';

/** A disk as the tests need it. */
export function diskOf(name: string, more: Partial<Disk> = {}): Disk {
  return {
    name,
    sizeGb: 10,
    type: 'pd-balanced',
    status: 'READY',
    labels: {},
    labelFingerprint: 'f',
    policies: [],
    users: [],
    ...more,
  };
}

/** A snapshot as the tests need it. */
export function snapshotOf(name: string, more: Partial<Snapshot> = {}): Snapshot {
  return {
    name,
    id: `id-of-${name}`,
    status: 'READY',
    sizeGb: 10,
    disk: 'data-1',
    labels: {},
    isOfSystem: false,
    created: 0,
    ...more,
  };
}

/** Disks, snapshots and schedules in memory; every change is noted in `calls`. */
export class FakeStorage implements Storage {
  disks: Disk[] = [];
  snapshots: Snapshot[] = [];
  policies: SchedulePolicy[] = [];
  readonly calls: string[] = [];
  /** Fails the methods that it names. */
  failing: Readonly<Record<string, Error>> = {};

  async getDisk(name: string): Promise<Disk | null> {
    return this.disks.find((disk) => disk.name === name) ?? null;
  }
  async listDisks(): Promise<readonly Disk[]> {
    return this.disks;
  }
  async insertDisk({ name, type, snapshot, labels }: NewDisk): Promise<boolean> {
    this.#note('insertDisk', name, snapshot);
    if (this.disks.some((disk) => disk.name === name)) return false;
    this.disks.push(diskOf(name, { type, labels }));
    return true;
  }
  async setDiskLabels({ name }: Disk, labels: Labels): Promise<boolean> {
    this.#note('setDiskLabels', name);
    this.disks = this.disks.map((disk) => (disk.name === name ? { ...disk, labels } : disk));
    return true;
  }
  async attachDisk(disk: string, device: string): Promise<void> {
    this.#note('attachDisk', disk, device);
  }
  async detachDisk(device: string): Promise<void> {
    this.#note('detachDisk', device);
  }
  async addPolicy(disk: string, policy: string): Promise<void> {
    this.#note('addPolicy', disk, policy);
    this.#setPolicies(disk, (policies) => [...policies, policy]);
  }
  async removePolicy(disk: string, policy: string): Promise<void> {
    this.#note('removePolicy', disk, policy);
    this.#setPolicies(disk, (policies) => policies.filter((each) => each !== policy));
  }
  async createSnapshot(disk: string, snapshot: NewSnapshot, onTaken?: () => void): Promise<Snapshot> {
    this.#note('createSnapshot', disk, snapshot.name);
    onTaken?.();
    const made = snapshotOf(snapshot.name, { disk, labels: snapshot.labels });
    this.snapshots.push(made);
    return made;
  }
  async getSnapshot(name: string): Promise<Snapshot | null> {
    return this.snapshots.find((snapshot) => snapshot.name === name) ?? null;
  }
  async listSnapshots(labels: Labels): Promise<readonly Snapshot[]> {
    return this.snapshots.filter((snapshot) =>
      Object.entries(labels).every(([key, value]) => snapshot.labels[key] === value),
    );
  }
  async deleteSnapshot(name: string): Promise<boolean> {
    this.#note('deleteSnapshot', name);
    return true;
  }
  async getPolicy(name: string): Promise<SchedulePolicy | null> {
    this.#fail('getPolicy');
    return this.policies.find((policy) => policy.name === name) ?? null;
  }
  async insertPolicy(policy: SchedulePolicy): Promise<boolean> {
    this.#note('insertPolicy', policy.name);
    if (this.policies.some(({ name }) => name === policy.name)) return false;
    this.policies.push(policy);
    return true;
  }
  async patchPolicy(policy: SchedulePolicy): Promise<void> {
    this.#note('patchPolicy', policy.name);
    this.policies = this.policies.map((each) => (each.name === policy.name ? policy : each));
  }
  async deletePolicy(name: string): Promise<boolean> {
    this.#note('deletePolicy', name);
    this.policies = this.policies.filter((policy) => policy.name !== name);
    return true;
  }

  #note(method: string, ...words: string[]): void {
    this.#fail(method);
    this.calls.push([method, ...words].join(' '));
  }
  #fail(method: string): void {
    const error = this.failing[method];
    if (error) throw error;
  }
  #setPolicies(name: string, change: (policies: readonly string[]) => readonly string[]): void {
    this.disks = this.disks.map((disk) =>
      disk.name === name ? { ...disk, policies: change(disk.policies) } : disk,
    );
  }
}
