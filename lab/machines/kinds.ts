import { LabError } from './process.ts';

/** The kinds of machine that the lab has, by Debian's code name. */
export const KINDS = { 'debian-12': 'bookworm', 'debian-13': 'trixie' } as const;
export type Kind = keyof typeof KINDS;
export const DEFAULT_KIND: Kind = 'debian-13';

/** Reads `--kind`. Throws for anything else. */
export function kindOf(text: string): Kind {
  if (Object.hasOwn(KINDS, text)) return text as Kind;
  throw new LabError(`There is no kind '${text}'; the lab has ${Object.keys(KINDS).join(' and ')}.`);
}
