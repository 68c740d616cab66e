import type { Plan } from '../converge/change';
import type { Target, Verdict } from '../converge/target';
import { type Compute, FORBIDDEN, type Instance } from '../google/compute';
import type { SchedulePolicy, Storage } from '../google/storage';
import { hasCode } from '../values/errors';
import { scheduleName, scheduleNameOfOne } from '../values/names';
import type { DataPlace } from './data-place';
import { identityOf, isOurs, labelsOf } from './identity';
import { type DesiredSchedule, planSchedule, type ScheduleState } from './schedule-plan';
import type { MachineStep } from './step';

export interface ScheduleTargetOptions {
  readonly compute: Compute;
  readonly storage: Storage;
  readonly desired: DesiredSchedule;
  /** Reads where the data is; called where a schedule is asked for. */
  readonly readPlace: () => Promise<DataPlace>;
  /** A teardown: credentials that may not see any schedule have made none. */
  readonly isTeardown: boolean;
}

/** The snapshot schedule of an instance's images as a target. */
export function scheduleTarget(options: ScheduleTargetOptions): Target<ScheduleState, MachineStep> {
  return {
    name: 'machine',
    read: () => readSchedule(options),
    plan: (state) => planSchedule(options.desired, state),
    apply: (_, plan) => applySchedule(options.storage, plan),
  };
}

async function readSchedule(options: ScheduleTargetOptions): Promise<ScheduleState> {
  const { compute, storage, desired, isTeardown } = options;
  const vm = await compute.getInstance();
  const place = desired.schedule === 'none' ? null : await options.readPlace();
  try {
    const { name, policy } = await ownPolicy(storage, vm);
    const isWanted = place !== null;
    const disks = isWanted || policy !== null ? await storage.listDisks() : [];
    const snapshots = isWanted || policy === null ? [] : await storage.listSnapshots(labelsOf(vm));
    const attached = vm.disks.map((disk) => disk.name);
    const matters = disks.filter((disk) => attached.includes(disk.name) || disk.policies.includes(name));
    return { vm, place, name, policy, disks: matters, snapshots };
  } catch (error) {
    if (!isTeardown || !hasCode(error, FORBIDDEN)) throw error;
    return { vm, place, name: scheduleName(vm.name), policy: null, disks: [], snapshots: [] };
  }
}

/** The name is the instance's own, unless a schedule of that name is of somebody else. */
async function ownPolicy(
  storage: Storage,
  vm: Instance,
): Promise<{ name: string; policy: SchedulePolicy | null }> {
  const name = scheduleName(vm.name);
  const policy = await storage.getPolicy(name);
  if (policy === null || isOurs(policy.description, vm)) return { name, policy };
  const other = scheduleNameOfOne(vm.name, identityOf(vm));
  return { name: other, policy: await storage.getPolicy(other) };
}

async function applySchedule(
  storage: Storage,
  { steps }: Plan<MachineStep>,
): Promise<Verdict<ScheduleState, MachineStep>> {
  const done: MachineStep[] = [];
  for (const step of steps) {
    if (!(await applyStep(storage, step.action))) return { kind: 'outdated', done };
    done.push(step);
  }
  return { kind: 'applied', done };
}

/** False where somebody else was faster. */
async function applyStep(storage: Storage, action: MachineStep['action']): Promise<boolean> {
  switch (action.kind) {
    case 'insert-policy':
      return storage.insertPolicy(action.policy);
    case 'patch-policy':
      await storage.patchPolicy(action.policy);
      return true;
    case 'add-policy':
      await storage.addPolicy(action.disk, action.policy);
      return true;
    case 'remove-policy':
      await storage.removePolicy(action.disk, action.policy);
      return true;
    case 'delete-policy':
      return storage.deletePolicy(action.policy);
    default:
      throw new Error(`${action.kind} is no step of a schedule`);
  }
}
