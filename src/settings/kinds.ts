import * as v from 'valibot';
import { parseDuration } from '../values/duration';
import { InvalidReference } from '../values/reference';
import { parseSnapshotSchedule, type SnapshotSchedule } from '../values/snapshot-schedule';

/*
 * The kinds of values. Each schema takes the text that a user wrote. The message of an issue goes behind that text
 * (`"5e3" is not a port`) and never holds it, so that the text is shown safely, once, or not at all.
 */

/** `true` or `false`, as YAML's core schema spells them: the same as core.getBooleanInput. */
export const flag = v.pipe(
  v.picklist(['true', 'True', 'TRUE', 'false', 'False', 'FALSE'], 'is neither true nor false'),
  v.transform((word) => word.toLowerCase() === 'true'),
);

/** A TCP port. */
export const port = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}$/, 'is not a port'),
  v.transform(Number),
  v.minValue(1, 'is not a port'),
  v.maxValue(65535, 'is not a port'),
);

/** Seconds, from a duration such as `30d`. */
export const duration = v.pipe(
  v.string(),
  v.rawTransform<string, number>(({ dataset, addIssue, NEVER }) => {
    const seconds = parseDuration(dataset.value);
    if (seconds !== null) return seconds;
    addIssue({ message: 'is no duration' });
    return NEVER;
  }),
);

/** When snapshots are taken; `none`: never. */
export const snapshotSchedule = v.pipe(
  v.string(),
  v.rawTransform<string, SnapshotSchedule | 'none'>(({ dataset, addIssue, NEVER }) => {
    if (dataset.value === 'none') return 'none';
    const schedule = parseSnapshotSchedule(dataset.value);
    if (schedule !== null) return schedule;
    addIssue({ message: 'is no schedule' });
    return NEVER;
  }),
);

/** Days that Google keeps a snapshot: https://cloud.google.com/compute/docs/disks/about-snapshot-schedules */
export const days = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}$/, 'is no number of days'),
  v.transform(Number),
  v.minValue(1, 'is no number of days'),
  v.maxValue(65535, 'is no number of days'),
);

/** How many. */
export const count = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}$/, 'is no number from 0 to 99999'),
  v.transform(Number),
);

/** One of a few words. */
export function choice<const T extends readonly string[]>(words: T) {
  return v.picklist(words, 'is not one of its values');
}

/** A text that has to match. */
export function text(pattern: RegExp, message = 'is not valid') {
  return v.pipe(v.string(), v.regex(pattern, message));
}

/** A text that `parse` reads, which throws InvalidReference where it cannot. */
export function parsed<T>(parse: (value: string) => T) {
  return v.pipe(
    v.string(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof InvalidReference)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
  );
}

/** An address of one of these schemes, without user, query or fragment; without the slash at the end. */
export function webAddress(schemes: readonly string[]) {
  return v.pipe(
    v.string(),
    v.maxLength(2000, NO_ADDRESS),
    v.regex(/^[^\s'"\\]*$/, NO_ADDRESS),
    v.check((value) => isWebAddress(value, schemes), NO_ADDRESS),
    v.transform((value) => new URL(value).href.replace(/\/+$/, '')),
  );
}

const NO_ADDRESS = 'is not an address of the kind that is needed here';

function isWebAddress(value: string, schemes: readonly string[]): boolean {
  if (!URL.canParse(value) || !/^[a-z]+:\/\/[^/]/i.test(value)) return false;
  const url = new URL(value);
  // The parser takes braces and more in a host, and files that the address is put into would read them as their own.
  const isHost = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/.test(url.hostname);
  const isPlain = url.username + url.password + url.search + url.hash === '';
  return schemes.includes(url.protocol) && isHost && isPlain;
}

/** A JSON object, or base64 of one. Whatever the parser has to say is left out: it would show a part of a secret. */
export const jsonObject = v.pipe(
  v.string(),
  v.rawTransform<string, Readonly<Record<string, unknown>>>(({ dataset, addIssue, NEVER }) => {
    const object =
      readObject(dataset.value) ?? readObject(Buffer.from(dataset.value, 'base64').toString('utf8'));
    if (object !== null) return object;
    addIssue({ message: 'it is neither a JSON object nor base64 of one' });
    return NEVER;
  }),
);

function readObject(value: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(value);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : null;
  } catch {
    return null;
  }
}
