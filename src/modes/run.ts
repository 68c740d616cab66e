import type { GoogleContext } from '../google/context';
import type { Job } from '../job/job';
import type { Log } from '../job/log';
import type { Resolve } from '../job/resolve';
import type { Sleep } from '../job/sleep';
import type { JobVariables } from '../job/variables';
import type { LeaseTerms } from '../leases/lease-terms';
import type { StartTunnel } from '../route/start';
import type { RunnerHost } from '../runner/host';
import type { Settings } from '../settings/types';
import type { connect } from '../ssh/connect';
import type { Google } from './place';

/** All that a mode works with. */
export interface Run {
  readonly settings: Settings;
  readonly job: Job;
  readonly google: GoogleContext;
  readonly log: Log;
  /** This machine. */
  readonly host: RunnerHost;
  readonly sleep: Sleep;
  readonly variables: JobVariables;
  /** Directory whose content goes with the job: RUNNER_TEMP. */
  readonly temporary: string;
  /** The ways to Google Cloud, to the instance, and to the DNS. */
  readonly reach: {
    readonly google: (run: Run) => Promise<Google>;
    readonly ssh: typeof connect;
    readonly tunnel: StartTunnel;
    readonly dns: Resolve;
  };
  /** How this run takes what it gives back when the job ends. */
  readonly leases: LeaseTerms;
}
