import * as v from 'valibot';
import { type AllGiven, inputPlace, refuse, type Written } from './given';
import { MODES, type Mode, type SettingName, settingOf, type TABLE } from './table';

type Row<K extends SettingName> = (typeof TABLE)[K];
type One<K extends SettingName> = v.InferOutput<Row<K>['schema']>;

/** What a setting is for the program: null where it was not given and has no default. */
export type Value<K extends SettingName> =
  Row<K> extends { list: string }
    ? readonly Item<K>[] | null
    : Row<K> extends { default: string }
      ? One<K>
      : One<K> | null;

/** One item of a list, with the text it was read from. */
export interface Item<K extends SettingName> {
  readonly value: One<K>;
  readonly written: Written;
}

/** Settings as they were given, checked one by one. */
export class Values {
  private readonly given: AllGiven;

  constructor(given: AllGiven) {
    this.given = given;
  }

  /**
   * The value of a setting, or its default.
   *
   * @throws ActionError `Invalid input`, naming the setting and where it stands; a secret is never shown
   */
  get<K extends SettingName>(name: K): Value<K> {
    const { list, default: fallback } = settingOf(name);
    const given = this.given.get(name);
    if (list !== undefined) {
      const items = given === undefined ? null : itemsOf(given.items ?? [given], list);
      return (items?.map((written) => ({ value: check(name, written), written })) ?? null) as Value<K>;
    }
    const written = given ?? (fallback === undefined ? null : { text: fallback, place: inputPlace(name) });
    return (written === null ? null : check(name, written)) as Value<K>;
  }

  /** The value of a setting that this mode cannot do without. */
  required<K extends SettingName>(name: K, mode: Mode): NonNullable<Value<K>> {
    const value = this.get(name);
    if (value !== null && value !== undefined) return value;
    const { use, required } = settingOf(name);
    const why =
      required?.length === MODES.length ? 'it is empty' : `it is empty, and the mode \`${mode}\` needs it`;
    const [first = '', ...rest] = use;
    const rule = first.toLowerCase() + rest.join('');
    return refuse(
      { text: null, place: inputPlace(name) },
      why,
      `Set it, in the step or in the config file: ${rule}`,
    );
  }

  /** What was written for it, for an error about how it goes with another setting. */
  written(name: SettingName): Written {
    return this.given.get(name) ?? { text: settingOf(name).default ?? '', place: inputPlace(name) };
  }

  /** Whether somebody wrote it. */
  has(name: SettingName): boolean {
    return this.given.has(name);
  }
}

/** The items of a list; empty ones are left out. */
function itemsOf(given: readonly Written[], list: 'items' | 'lines'): Written[] {
  return given.flatMap(({ text, place }) =>
    text
      .split(list === 'items' ? /[,\n]/ : '\n')
      .map((item) => ({ text: item.trim(), place }))
      .filter((item) => item.text !== ''),
  );
}

function check(name: SettingName, written: Written): unknown {
  const { schema, secret, use } = settingOf(name);
  const result = v.safeParse(schema, written.text, { abortEarly: true, abortPipeEarly: true });
  if (result.success) return result.output;
  return refuse(secret === true ? { ...written, text: null } : written, result.issues[0].message, use);
}
