import type { SnapshotSchedule } from '../values/snapshot-schedule';

export type Labels = Readonly<Record<string, string>>;

/** A persistent disk of the instance's zone. */
export interface Disk {
  readonly name: string;
  readonly sizeGb: number;
  /** Name of its type, `pd-balanced`. */
  readonly type: string;
  /** CREATING, RESTORING, READY, … */
  readonly status: string;
  readonly labels: Labels;
  readonly labelFingerprint: string;
  /** Names of its resource policies. */
  readonly policies: readonly string[];
  /** Names of the instances that it is attached to. */
  readonly users: readonly string[];
}

/** A disk that is made from a snapshot. */
export interface NewDisk {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly snapshot: string;
  readonly labels: Labels;
}

export interface Snapshot {
  readonly name: string;
  readonly id: string;
  /** CREATING: its moment has not come yet; UPLOADING: it shows the disk at its moment; READY. */
  readonly status: string;
  readonly sizeGb: number;
  /** Name of the disk that it is of. */
  readonly disk: string;
  readonly labels: Labels;
  /** Of a disk with an operating system on it. */
  readonly isOfSystem: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
}

export interface NewSnapshot {
  readonly name: string;
  readonly description: string;
  readonly labels: Labels;
}

/** A snapshot schedule. */
export interface SchedulePolicy {
  readonly name: string;
  readonly description: string;
  /** Null: one that the action does not make, such as each four hours. */
  readonly schedule: SnapshotSchedule | null;
  readonly keepDays: number;
  /** Snapshots stay when their disk is deleted. */
  readonly keepsAfterDisk: boolean;
  /** Of the snapshots. */
  readonly labels: Labels;
}

/**
 * The calls of the Compute API about disks, snapshots and their schedules. As with Compute, mutations wait for their
 * operation and throw when it ends in an error.
 */
export interface Storage {
  /** Null: there is none of that name. */
  getDisk(name: string): Promise<Disk | null>;
  /** Those of the instance's zone. */
  listDisks(): Promise<readonly Disk[]>;
  /** False where there is a disk of that name. */
  insertDisk(disk: NewDisk): Promise<boolean>;
  /** Replaces the labels of a disk as it was read; false where others have changed them since, or it is gone. */
  setDiskLabels(disk: Disk, labels: Labels): Promise<boolean>;
  attachDisk(disk: string, device: string): Promise<void>;
  /** Nothing happens where it is not attached. */
  detachDisk(device: string): Promise<void>;
  addPolicy(disk: string, policy: string): Promise<void>;
  removePolicy(disk: string, policy: string): Promise<void>;
  /**
   * Takes a snapshot, and returns it when it is READY.
   *
   * @param onTaken is called when it shows the disk at its moment, and the rest is only its upload
   */
  createSnapshot(disk: string, snapshot: NewSnapshot, onTaken?: () => void): Promise<Snapshot>;
  getSnapshot(name: string): Promise<Snapshot | null>;
  listSnapshots(labels: Labels): Promise<readonly Snapshot[]>;
  /** False where there is none. */
  deleteSnapshot(name: string): Promise<boolean>;
  getPolicy(name: string): Promise<SchedulePolicy | null>;
  /** False where there is one of that name. */
  insertPolicy(policy: SchedulePolicy): Promise<boolean>;
  patchPolicy(policy: SchedulePolicy): Promise<void>;
  /** False where there is none. */
  deletePolicy(name: string): Promise<boolean>;
}
