import type { Target } from '../converge/target';
import { readDataDisk } from '../instance/remote/read-disk';
import type { ScheduleState } from '../machine/schedule-plan';
import { scheduleTarget } from '../machine/schedule-target';
import type { MachineStep } from '../machine/step';
import type { Site } from './log-in';
import type { Run } from './run';

/** The snapshot schedule of this run as a target; null where it is not looked after. */
export function siteSchedule({ settings, log }: Run, site: Site): Target<ScheduleState, MachineStep> | null {
  const { compute, storage, connection } = site;
  const isTeardown = settings.mode === 'teardown';
  const schedule = isTeardown ? 'none' : settings.snapshots.schedule;
  if (schedule === null) return null;
  if (connection === null && schedule !== 'none') {
    log.notice('snapshot-schedule was not looked at: on which disk the images are is read on the instance');
    return null;
  }
  return scheduleTarget({
    compute,
    storage,
    desired: { schedule, keepDays: settings.snapshots.keepDays },
    isTeardown,
    readPlace: async () => {
      if (connection === null) throw new Error('there is no connection');
      return readDataDisk(connection, settings.registry.dataPath);
    },
  });
}
