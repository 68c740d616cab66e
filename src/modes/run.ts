import type { GoogleContext } from '../google/context';
import type { Job } from '../job/job';
import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import type { Pending } from '../leases/pending';
import type { RunnerHost } from '../runner/host';
import type { Settings } from '../settings/types';

/** All that a mode works with. */
export interface Run {
  readonly inputs: Settings;
  readonly job: Job;
  readonly google: GoogleContext;
  readonly log: Log;
  /** This machine. */
  readonly host: RunnerHost;
  readonly sleep: Sleep;
  /** What the post step has to undo; noted before it is done. */
  readonly pending: Pending;
}
