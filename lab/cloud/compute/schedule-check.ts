import { invalid, invalidField, required } from './errors.ts';
import { checkLabels } from './labels.ts';
import { isObject, type JsonObject } from './merge-patch.ts';

/** How long a snapshot may take to begin, as Google shows it with each schedule. */
const DURATION = 'PT14400S';
const DAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];
const FIELD = 'resource.snapshotSchedulePolicy';

/**
 * A `snapshotSchedulePolicy` with Google's defaults. Throws the API's 400 for what Google refuses:
 * https://cloud.google.com/compute/docs/disks/about-snapshot-schedules
 */
export function checkSchedulePolicy(policy: JsonObject): JsonObject {
  const properties = isObject(policy.snapshotProperties) ? policy.snapshotProperties : null;
  const labels = checkLabels(`${FIELD}.snapshotProperties.labels`, properties?.labels);
  return {
    schedule: checkSchedule(policy.schedule),
    ...(isObject(policy.retentionPolicy) && { retentionPolicy: checkRetention(policy.retentionPolicy) }),
    ...(properties !== null && {
      snapshotProperties: { ...properties, ...(Object.keys(labels).length > 0 && { labels }) },
    }),
  };
}

function checkSchedule(value: unknown): JsonObject {
  if (!isObject(value)) throw required(`${FIELD}.schedule`);
  const kinds = ['hourlySchedule', 'dailySchedule', 'weeklySchedule'].filter((kind) => isObject(value[kind]));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    throw invalid(`Exactly one of the schedules must be specified in '${FIELD}.schedule'.`);
  const schedule = value[kind] as JsonObject;
  const field = `${FIELD}.schedule.${kind}`;
  switch (kind) {
    case 'hourlySchedule':
      return {
        [kind]: { hoursInCycle: checkHours(field, schedule.hoursInCycle), ...startOf(field, schedule) },
      };
    case 'dailySchedule':
      return { [kind]: { daysInCycle: checkDays(field, schedule.daysInCycle), ...startOf(field, schedule) } };
    default:
      return { [kind]: { dayOfWeeks: checkWeek(field, schedule.dayOfWeeks) } };
  }
}

/** "choose a snapshot interval using an integer between 1 and 23" */
function checkHours(field: string, value: unknown): number {
  const hours = Number(value);
  if (!(hours >= 1 && hours <= 23))
    throw invalidField(`${field}.hoursInCycle`, String(value), 'Must be between 1 and 23.');
  return hours;
}

function checkDays(field: string, value: unknown): number {
  if (Number(value) !== 1) throw invalidField(`${field}.daysInCycle`, String(value), 'Must be 1.');
  return 1;
}

function checkWeek(field: string, value: unknown): JsonObject[] {
  const list = (value ?? []) as readonly JsonObject[];
  if (list.length === 0) throw required(`${field}.dayOfWeeks`);
  return list.map((entry, index) => {
    const at = `${field}.dayOfWeeks[${index}]`;
    if (!DAYS.includes(String(entry.day)))
      throw invalidField(`${at}.day`, String(entry.day), `Must be one of [${DAYS.join(', ')}]`);
    return { day: entry.day, ...startOf(at, entry) };
  });
}

/** On the hour, in UTC: "startTime … must be in an hourly increment, HH:00". */
function startOf(field: string, { startTime }: JsonObject): JsonObject {
  const match = /^(\d{1,2}):00$/.exec(String(startTime));
  if (match === null || Number(match[1]) > 23)
    throw invalidField(`${field}.startTime`, String(startTime), 'Must be in the format HH:00, UTC.');
  return { startTime: `${String(match[1]).padStart(2, '0')}:00`, duration: DURATION };
}

function checkRetention(policy: JsonObject): JsonObject {
  const days = Number(policy.maxRetentionDays);
  if (!(days >= 1 && days <= 65_535))
    throw invalidField(
      `${FIELD}.retentionPolicy.maxRetentionDays`,
      String(policy.maxRetentionDays),
      'Must be between 1 and 65535.',
    );
  const onDelete = policy.onSourceDiskDelete ?? 'KEEP_AUTO_SNAPSHOTS';
  if (!['KEEP_AUTO_SNAPSHOTS', 'APPLY_RETENTION_POLICY'].includes(String(onDelete)))
    throw invalidField(`${FIELD}.retentionPolicy.onSourceDiskDelete`, String(onDelete), 'Unknown value.');
  return { maxRetentionDays: days, onSourceDiskDelete: onDelete };
}
