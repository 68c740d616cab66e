import { randomBytes } from 'node:crypto';
import type { RunIdentity } from '../values/names';

/**
 * The job that the action runs in.
 *
 * https://docs.github.com/actions/reference/workflows-and-actions/variables#default-environment-variables
 */
export interface Job {
  /** Tells this run from all others, also from those of the same job matrix. */
  readonly identity: RunIdentity;
  /** Where a person finds the run; null outside GitHub. */
  readonly url: string | null;
  /** For the logs of other runs: one line of printable ASCII. */
  readonly name: string;
}

/** Reads the job's context from its environment. */
export function readJob(env: NodeJS.ProcessEnv): Job {
  const { GITHUB_RUN_ID: id, GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = env;
  const url = server && repository && id ? `${server}/${repository}/actions/runs/${id}` : null;
  const name = `${url ?? 'outside GitHub'}, job ${env.GITHUB_JOB || 'without a name'}`;
  return {
    identity: {
      runId: id ?? '0',
      attempt: env.GITHUB_RUN_ATTEMPT ?? '1',
      unique: `${env.GITHUB_JOB ?? ''} ${randomBytes(6).toString('hex')}`,
    },
    url,
    name: name.replace(/[^ -~]/g, '?').slice(0, 300),
  };
}
