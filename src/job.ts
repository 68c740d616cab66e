import { randomBytes } from 'node:crypto';
import type { RunIdentity } from './firewall/names';

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
}

/** Reads the job's context from its environment. */
export function readJob(env: NodeJS.ProcessEnv): Job {
  const { GITHUB_RUN_ID: id, GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = env;
  return {
    identity: {
      runId: id ?? '0',
      attempt: env.GITHUB_RUN_ATTEMPT ?? '1',
      unique: `${env.GITHUB_JOB ?? ''} ${randomBytes(6).toString('hex')}`,
    },
    url: server && repository && id ? `${server}/${repository}/actions/runs/${id}` : null,
  };
}
