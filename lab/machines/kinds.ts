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

/**
 * The kinds of runner, by the engine on it: Docker's of today, whose images are in containerd's store, the one before it, as
 * on GitHub's own images (https://github.com/actions/runner-images/blob/main/images/ubuntu/Ubuntu2404-Readme.md), Debian's,
 * and that of Debian 12, as on runners that were set up years ago.
 */
export const RUNNER_KINDS = ['docker-29', 'docker-28', 'docker-26', 'docker-20'] as const;
export type RunnerKind = (typeof RUNNER_KINDS)[number];
export const DEFAULT_RUNNER_KIND: RunnerKind = 'docker-29';

/** Reads `--kind` of the runner. Throws for anything else. */
export function runnerKindOf(text: string): RunnerKind {
  const kind = RUNNER_KINDS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw new LabError(`There is no kind '${text}' of runner; the lab has ${RUNNER_KINDS.join(' and ')}.`);
}
