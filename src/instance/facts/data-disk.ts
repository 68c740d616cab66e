import { count, fields, flag, list, type Shape, text } from './shape';

/** On which disk the registry's data is, as scripts/facts-disk.sh reads it. */
export interface DataDisk {
  /** The directory of the data, there or not. */
  readonly path: string;
  /** Where its file system is mounted, what type that is, and from what. */
  readonly mount: string;
  readonly fileSystem: string;
  readonly source: string;
  /** Names that Google Cloud has for the disks below it. */
  readonly devices: readonly string[];
  /** Devices below it that are no disks of Google Cloud. */
  readonly unnamed: number;
  /** Disks of Google Cloud with a file system that nothing has mounted. */
  readonly free: readonly string[];
  /** The data of a registry is there. */
  readonly holdsData: boolean;
  /** The disk itself can be read. */
  readonly answers: boolean;
  /** A run has written down before that there is data. */
  readonly wasThere: boolean;
  /** Where that was mounted; empty where it is not known. */
  readonly recordedMount: string;
}

/** The shape of what the script prints. */
export const dataDisk: Shape<DataDisk> = fields<{ [K in keyof DataDisk]: DataDisk[K] }>({
  path: text(),
  mount: text(),
  fileSystem: text(),
  source: text(),
  devices: list(text(), 100),
  unnamed: count,
  free: list(text(), 100),
  holdsData: flag,
  answers: flag,
  wasThere: flag,
  recordedMount: text(),
});
