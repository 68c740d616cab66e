import { parseSnapshotSchedule, type SnapshotSchedule } from '../values/snapshot-schedule';
import { lastPart } from './resources';
import type { Disk, Labels, NewDisk, SchedulePolicy, Snapshot } from './storage';

/** The fields of Compute's messages about disks that the action uses, as the official client reads and writes them. */
export interface DiskMessage {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly sizeGb?: string | number | null;
  readonly type?: string | null;
  readonly status?: string | null;
  readonly labels?: Labels | null;
  readonly labelFingerprint?: string | null;
  readonly resourcePolicies?: readonly string[];
  readonly sourceSnapshot?: string | null;
  readonly users?: readonly string[];
}

export interface SnapshotMessage {
  readonly name?: string | null;
  readonly id?: string | number | null;
  readonly description?: string | null;
  readonly status?: string | null;
  readonly diskSizeGb?: string | number | null;
  readonly sourceDisk?: string | null;
  readonly labels?: Labels | null;
  readonly licenses?: readonly string[];
  readonly creationTimestamp?: string | null;
}

export interface PolicyMessage {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly snapshotSchedulePolicy?: {
    readonly schedule?: ScheduleMessage | null;
    readonly retentionPolicy?: {
      readonly maxRetentionDays?: number | null;
      readonly onSourceDiskDelete?: string | null;
    } | null;
    readonly snapshotProperties?: { readonly labels?: Labels | null } | null;
  } | null;
}

interface StartMessage {
  readonly startTime?: string | null;
}

interface ScheduleMessage {
  readonly hourlySchedule?: (StartMessage & { readonly hoursInCycle?: number | null }) | null;
  readonly dailySchedule?: (StartMessage & { readonly daysInCycle?: number | null }) | null;
  readonly weeklySchedule?: {
    readonly dayOfWeeks?: readonly (StartMessage & { readonly day?: string | null })[] | null;
  } | null;
}

export function readDisk(message: DiskMessage): Disk {
  return {
    name: message.name ?? '',
    sizeGb: Number(message.sizeGb ?? 0),
    type: lastPart(message.type),
    status: message.status ?? '',
    labels: message.labels ?? {},
    labelFingerprint: message.labelFingerprint ?? '',
    policies: (message.resourcePolicies ?? []).map(lastPart),
    users: (message.users ?? []).map(lastPart),
  };
}

export function writeDisk(disk: NewDisk, { project, zone }: { project: string; zone: string }): DiskMessage {
  return {
    name: disk.name,
    description: disk.description,
    type: `projects/${project}/zones/${zone}/diskTypes/${disk.type}`,
    sourceSnapshot: `projects/${project}/global/snapshots/${disk.snapshot}`,
    labels: disk.labels,
  };
}

export function readSnapshot(message: SnapshotMessage): Snapshot {
  return {
    name: message.name ?? '',
    id: String(message.id ?? ''),
    status: message.status ?? '',
    sizeGb: Number(message.diskSizeGb ?? 0),
    disk: lastPart(message.sourceDisk),
    labels: message.labels ?? {},
    isOfSystem: (message.licenses ?? []).length > 0,
    created: Date.parse(message.creationTimestamp ?? '') || 0,
  };
}

export function readPolicy(message: PolicyMessage): SchedulePolicy {
  const { schedule, retentionPolicy, snapshotProperties } = message.snapshotSchedulePolicy ?? {};
  return {
    name: message.name ?? '',
    description: message.description ?? '',
    schedule: readSchedule(schedule ?? {}),
    keepDays: retentionPolicy?.maxRetentionDays ?? 0,
    keepsAfterDisk: retentionPolicy?.onSourceDiskDelete === 'KEEP_AUTO_SNAPSHOTS',
    labels: snapshotProperties?.labels ?? {},
  };
}

/** Null for one that the settings have no words for. */
function readSchedule({
  hourlySchedule,
  dailySchedule,
  weeklySchedule,
}: ScheduleMessage): SnapshotSchedule | null {
  if (hourlySchedule) return hourlySchedule.hoursInCycle === 1 ? { kind: 'hourly' } : null;
  if (dailySchedule) {
    const isDaily = (dailySchedule.daysInCycle ?? 1) === 1;
    return isDaily ? parseSnapshotSchedule(`daily ${dailySchedule.startTime}`) : null;
  }
  const [day, ...others] = weeklySchedule?.dayOfWeeks ?? [];
  if (day === undefined || others.length > 0) return null;
  return parseSnapshotSchedule(`weekly ${day.day?.toLowerCase()} ${day.startTime}`);
}

export function writePolicy(policy: SchedulePolicy): PolicyMessage {
  return {
    name: policy.name,
    description: policy.description,
    snapshotSchedulePolicy: {
      ...(policy.schedule === null ? {} : { schedule: writeSchedule(policy.schedule) }),
      retentionPolicy: {
        maxRetentionDays: policy.keepDays,
        onSourceDiskDelete: policy.keepsAfterDisk ? 'KEEP_AUTO_SNAPSHOTS' : 'APPLY_RETENTION_POLICY',
      },
      snapshotProperties: { labels: policy.labels },
    },
  };
}

/** An hourly one has a start too, from which on the hours are counted. */
function writeSchedule(schedule: SnapshotSchedule): ScheduleMessage {
  switch (schedule.kind) {
    case 'hourly':
      return { hourlySchedule: { hoursInCycle: 1, startTime: '00:00' } };
    case 'daily':
      return { dailySchedule: { daysInCycle: 1, startTime: schedule.at } };
    case 'weekly':
      return {
        weeklySchedule: { dayOfWeeks: [{ day: schedule.day.toUpperCase(), startTime: schedule.at }] },
      };
  }
}
