import type { Change, Step } from '../converge/change';
import type { NewDisk, SchedulePolicy } from '../google/storage';

/** What carries out a change of the VM's disks and their schedule. */
export type MachineAction =
  | { readonly kind: 'insert-policy'; readonly policy: SchedulePolicy }
  | { readonly kind: 'patch-policy'; readonly policy: SchedulePolicy }
  | { readonly kind: 'delete-policy'; readonly policy: string }
  | { readonly kind: 'add-policy'; readonly disk: string; readonly policy: string }
  | { readonly kind: 'remove-policy'; readonly disk: string; readonly policy: string }
  | { readonly kind: 'create-disk'; readonly disk: NewDisk }
  | { readonly kind: 'attach-disk'; readonly disk: string }
  | { readonly kind: 'mount-disk'; readonly device: string; readonly mount: string; readonly path: string }
  | { readonly kind: 'detach-disk'; readonly device: string }
  | { readonly kind: 'settle-disk'; readonly disk: string };

export interface MachineStep extends Step {
  readonly change: Change;
  readonly action: MachineAction;
}

/** Makes a step of the machine. */
export function machineStep(
  action: MachineAction,
  what: string,
  from: string | null,
  to: string | null,
  why: string,
): MachineStep {
  return { change: machineChange(what, from, to, why), action };
}

/** Makes a change of the machine. */
export function machineChange(what: string, from: string | null, to: string | null, why: string): Change {
  return { target: 'machine', what, from, to, why };
}
