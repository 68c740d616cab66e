/** When snapshots are taken; hours are those of UTC, as `04:00`. */
export type SnapshotSchedule =
  /** Each hour. */
  | { readonly kind: 'hourly' }
  | { readonly kind: 'daily'; readonly at: string }
  | { readonly kind: 'weekly'; readonly day: Weekday; readonly at: string };

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Google begins on the hour: https://cloud.google.com/compute/docs/disks/about-snapshot-schedules */
const WORDS = /^(?:(hourly)|(daily) (\d\d?:00)|(weekly) ([a-z]+) (\d\d?:00))$/;

/** Reads `hourly`, `daily 04:00` or `weekly sunday 04:00`; null for all else. */
export function parseSnapshotSchedule(text: string): SnapshotSchedule | null {
  const [, hourly, daily, dailyAt = '', weekly, name, weeklyAt = ''] = WORDS.exec(text) ?? [];
  if (hourly !== undefined) return { kind: 'hourly' };
  const at = hourOf(daily === undefined ? weeklyAt : dailyAt);
  if (at === null) return null;
  if (daily !== undefined) return { kind: 'daily', at };
  const day = WEEKDAYS.find((each) => each === name);
  return weekly === undefined || day === undefined ? null : { kind: 'weekly', day, at };
}

/** The same in words. */
export function describeSnapshotSchedule(schedule: SnapshotSchedule): string {
  switch (schedule.kind) {
    case 'hourly':
      return 'hourly';
    case 'daily':
      return `daily ${schedule.at}`;
    case 'weekly':
      return `weekly ${schedule.day} ${schedule.at}`;
  }
}

/** With two digits; null where it is none of a day. */
function hourOf(text: string): string | null {
  const padded = text.padStart(5, '0');
  return padded < '24:00' && text !== '' ? padded : null;
}
