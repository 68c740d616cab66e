import type { Plan } from '../converge/change';
import type { Instance } from '../google/compute';
import type { Disk, SchedulePolicy, Snapshot } from '../google/storage';
import { describeSnapshotSchedule, type SnapshotSchedule } from '../values/snapshot-schedule';
import { type DataPlace, diskOf } from './data-place';
import { descriptionOf, KIND, labelsOf } from './identity';
import { type MachineStep, machineStep } from './step';

/** What is asked for; a schedule of `none`: there is to be none. */
export interface DesiredSchedule {
  readonly schedule: SnapshotSchedule | 'none';
  readonly keepDays: number;
}

export interface ScheduleState {
  readonly vm: Instance;
  /** Null: not looked for, as there is to be no schedule. */
  readonly place: DataPlace | null;
  /** Name that the instance's schedule has, or is to have. */
  readonly name: string;
  /** Null: there is none. */
  readonly policy: SchedulePolicy | null;
  /** Those of the instance, and those that have the schedule. */
  readonly disks: readonly Disk[];
  /** Snapshots of the instance's images. */
  readonly snapshots: readonly Snapshot[];
}

/** The schedule of the disk that holds the data; on no other disk. */
export function planSchedule(desired: DesiredSchedule, state: ScheduleState): Plan<MachineStep> {
  const { place, vm } = state;
  if (desired.schedule === 'none' || place === null) return planWithoutSchedule(state);
  const data = diskOf(place, vm);
  const wanted = policyOf(desired.schedule, desired.keepDays, state);
  const disk = state.disks.find(({ name }) => name === data.name);
  const what = `snapshot schedule of disk ${data.name}`;
  const isThere = disk?.policies.includes(state.name) === true;
  const why = `the registry's images are on this disk`;
  return {
    steps: [
      ...policySteps(wanted, state),
      ...(isThere
        ? []
        : [
            machineStep(
              { kind: 'add-policy', disk: data.name, policy: state.name },
              what,
              null,
              state.name,
              why,
            ),
          ]),
      ...removals(state, data.name, 'the images are on another disk'),
    ],
    notes: otherPolicies(disk, state.name),
  };
}

/** What there is goes, and snapshots stay. */
export function planWithoutSchedule(state: ScheduleState): Plan<MachineStep> {
  const { policy, snapshots } = state;
  if (policy === null) return { steps: [], notes: [] };
  const gone = machineStep(
    { kind: 'delete-policy', policy: policy.name },
    `snapshot schedule ${policy.name}`,
    wordsOf(policy),
    null,
    'there is to be none',
  );
  return {
    steps: [...removals(state, null, 'there is to be none'), gone],
    notes: snapshots.length === 0 ? [] : [`snapshots stay: ${namesOf(snapshots)}`],
  };
}

function namesOf(snapshots: readonly Snapshot[]): string {
  const names = [...snapshots].sort((a, b) => b.created - a.created).map(({ name }) => name);
  const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
  return `${names.slice(0, 10).join(', ')}${more} (\`gcloud compute snapshots delete\`)`;
}

function policyOf(schedule: SnapshotSchedule, keepDays: number, { vm, name }: ScheduleState): SchedulePolicy {
  return {
    name,
    description: descriptionOf("Snapshots of the disk with the registry's images", vm),
    schedule,
    keepDays,
    keepsAfterDisk: true,
    labels: { ...labelsOf(vm), [KIND]: 'scheduled' },
  };
}

function policySteps(wanted: SchedulePolicy, { policy }: ScheduleState): MachineStep[] {
  const what = `snapshot schedule ${wanted.name}`;
  const why = 'snapshot-schedule asks for it';
  if (policy === null)
    return [machineStep({ kind: 'insert-policy', policy: wanted }, what, null, wordsOf(wanted), why)];
  const labels = { ...policy.labels, ...wanted.labels };
  const isSame =
    wordsOf(policy) === wordsOf(wanted) &&
    policy.description === wanted.description &&
    Object.keys(labels).every((key) => policy.labels[key] === labels[key]);
  if (isSame) return [];
  return [
    machineStep(
      { kind: 'patch-policy', policy: { ...wanted, labels } },
      what,
      wordsOf(policy),
      wordsOf(wanted),
      wordsOf(policy) === wordsOf(wanted) ? 'its snapshots are not labelled as the action’s' : why,
    ),
  ];
}

/** From every disk but `kept`. */
function removals({ disks, name }: ScheduleState, kept: string | null, why: string): MachineStep[] {
  return disks
    .filter((disk) => disk.name !== kept && disk.policies.includes(name))
    .map((disk) =>
      machineStep(
        { kind: 'remove-policy', disk: disk.name, policy: name },
        `snapshot schedule of disk ${disk.name}`,
        name,
        null,
        why,
      ),
    );
}

function wordsOf({ schedule, keepDays, keepsAfterDisk }: SchedulePolicy): string {
  const when = schedule === null ? 'at other times' : describeSnapshotSchedule(schedule);
  return `${when}, kept ${keepDays} days${keepsAfterDisk ? '' : ', and not longer than the disk'}`;
}

function otherPolicies(disk: Disk | undefined, ours: string): string[] {
  const others = (disk?.policies ?? []).filter((name) => name !== ours);
  return others.length === 0
    ? []
    : [`disk ${disk?.name} has resource policies of somebody else, which stay: ${others.join(', ')}`];
}
