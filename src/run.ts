import type { Pending } from './cleanup/pending';
import type { GoogleContext } from './gcp/context';
import type { Inputs } from './inputs';
import type { Job } from './job';
import type { Log } from './log';
import type { RunnerHost } from './runner/host';
import type { Sleep } from './sleep';

/** All that a mode works with. */
export interface Run {
  readonly inputs: Inputs;
  readonly job: Job;
  readonly google: GoogleContext;
  readonly log: Log;
  /** This machine. */
  readonly host: RunnerHost;
  readonly sleep: Sleep;
  /** What the post step has to undo; noted before it is done. */
  readonly pending: Pending;
}
