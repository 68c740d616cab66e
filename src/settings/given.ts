import { ActionError } from '../values/errors';
import { show } from '../values/show';
import { NAMES, type SettingName } from './table';

/** Returns the value of an input of the step, or the empty string; `core.getInput`. */
export type GetInput = (name: string) => string;

/** A piece of text and where it stands, as an error names it: "the input `zone`". */
export interface Written {
  readonly text: string;
  readonly place: string;
}

/** What somebody wrote for one setting. */
export interface Given extends Written {
  /** The items, where it was written as a list of YAML. */
  readonly items?: readonly Written[];
}

export type AllGiven = ReadonlyMap<SettingName, Given>;

/** The inputs of the step that are not empty: GitHub hands the empty string for one that is not given. */
export function givenInStep(get: GetInput, names: readonly SettingName[] = NAMES): Map<SettingName, Given> {
  const given = names.map((name): [SettingName, Given] => [
    name,
    { text: get(name), place: inputPlace(name) },
  ]);
  return new Map(given.filter(([, { text }]) => text !== ''));
}

/** How an error names an input of the step. */
export function inputPlace(name: SettingName): string {
  return `the input \`${name}\``;
}

/**
 * Refuses what was written.
 *
 * @param written `text` null: it is not shown, because it is a secret or there is none
 * @throws ActionError `Invalid input`
 */
export function refuse(
  { text, place }: { readonly text: string | null; readonly place: string },
  happened: string,
  next: string,
): never {
  throw new ActionError('Invalid input', {
    doing: `reading ${place}`,
    happened: text === null ? happened : `${show(text)} ${happened}`,
    next,
  });
}
