import { plain } from './show';

/** The parts of an error that a user reads: each is one sentence without a full stop. */
export interface Problem {
  /** What was being done, and to what: `connecting to 203.0.113.5:22 as registry-action`. */
  readonly doing: string;
  /** What happened. */
  readonly happened: string;
  /** What to do next. */
  readonly next: string;
}

/**
 * An error that a user can act on.
 *
 * `title` is constant text (never holds a value): it is a heading in docs/troubleshooting.md, and a unit test
 * holds the two against each other. The message is one line that nothing obeys, whatever the parts hold.
 */
export class ActionError extends Error {
  readonly title: string;
  readonly problem: Problem;
  /** Constant text that control flow may ask for; absent where nothing does. Titles are for people. */
  readonly code: string | undefined;

  constructor(title: string, problem: Problem, options?: { cause?: unknown; code?: string }) {
    super(plain(`${title}: ${problem.doing}: ${problem.happened}. ${problem.next}.`), options);
    this.name = 'ActionError';
    this.title = title;
    this.problem = problem;
    this.code = options?.code;
  }
}

/** Whether `error` is an ActionError with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof ActionError && error.code === code;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
