import type { JsonObject } from './merge-patch.ts';

/** Labels of a disk or snapshot. */
export type Labels = Readonly<Record<string, string>>;

/** A persistent disk. */
export interface Disk {
  readonly id: string;
  readonly creationTimestamp: string;
  readonly project: string;
  readonly zone: string;
  readonly name: string;
  readonly description: string;
  readonly sizeGb: number;
  /** Name of its type, `pd-balanced`. */
  readonly type: string;
  /** CREATING, RESTORING, READY, DELETING. */
  status: string;
  labels: Labels;
  /** What it was made from; null: it was made empty, or is a boot disk. */
  readonly sourceSnapshot: { readonly url: string; readonly id: string } | null;
  /** What a disk with an operating system has; null on others. */
  readonly system: SystemDisk | null;
  /** Addresses of its resource policies, as they are shown. */
  policies: readonly string[];
  /** Name of the instance that it is attached to, in its own zone; null: none. */
  user: string | null;
}

/** What Google knows of an operating system on a disk, and a snapshot of that disk knows too. */
export interface SystemDisk {
  readonly licenses: readonly string[];
  readonly guestOsFeatures: readonly string[];
  readonly architecture: string;
}

/** A snapshot of a disk. */
export interface Snapshot {
  readonly id: string;
  readonly creationTimestamp: string;
  readonly project: string;
  readonly name: string;
  readonly description: string;
  readonly sizeGb: number;
  readonly sourceDisk: { readonly url: string; readonly id: string };
  readonly system: SystemDisk | null;
  readonly storageLocation: string;
  /** CREATING, UPLOADING, READY, DELETING. */
  status: string;
  storageBytes: number;
  labels: Labels;
}

/** A resource policy: of what there are, snapshot schedules alone. */
export interface ResourcePolicy {
  readonly id: string;
  readonly creationTimestamp: string;
  readonly project: string;
  readonly region: string;
  readonly name: string;
  readonly description: string;
  /** The message `snapshotSchedulePolicy`, checked, with Google's defaults. */
  readonly schedule: JsonObject;
}

/** A disk on an instance. */
export interface Attachment {
  /** Name of the disk, in the instance's zone. */
  readonly disk: string;
  readonly deviceName: string;
  readonly boot: boolean;
  readonly autoDelete: boolean;
  readonly mode: 'READ_WRITE' | 'READ_ONLY';
}

/** Where the bytes are: a file for each disk and snapshot, and block devices in the machines. */
export interface Blocks {
  /** An empty disk, or a copy of a snapshot. */
  createDisk(disk: string, bytes: number, snapshot: string | null): Promise<void>;
  deleteDisk(disk: string): Promise<void>;
  /** The disk as it is at this moment; returns how many bytes of it are in use. */
  createSnapshot(disk: string, snapshot: string): Promise<number>;
  deleteSnapshot(snapshot: string): Promise<void>;
  /** Gives a machine the disk as a block device with that name; null: an instance without a machine. */
  attach(container: string | null, disk: string, deviceName: string): Promise<void>;
  /** Takes it away, mounted or not, as Google does. */
  detach(container: string | null, disk: string, deviceName: string): Promise<void>;
  /** Takes all of it away. */
  clear(): Promise<void>;
}

/** Disks without bytes, where no machine needs any. */
export const NO_BLOCKS: Blocks = {
  createDisk: async () => {},
  deleteDisk: async () => {},
  createSnapshot: async () => 0,
  deleteSnapshot: async () => {},
  attach: async () => {},
  detach: async () => {},
  clear: async () => {},
};

/** The region of a zone. */
export const regionOf = (zone: string): string => zone.replace(/-[a-z]$/, '');
