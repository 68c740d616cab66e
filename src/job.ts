import { randomBytes } from 'node:crypto';

/**
 * The job that the action runs in.
 *
 * https://docs.github.com/actions/reference/workflows-and-actions/variables#default-environment-variables
 */
export interface Job {
  /** Tells this run from all others, also from those of the same job matrix: `<run id>-<attempt>-<random>`. */
  readonly key: string;
  /** Where a person finds the run; null outside GitHub. */
  readonly url: string | null;
}

/** Reads the job's context from its environment. */
export function readJob(env: NodeJS.ProcessEnv): Job {
  const { GITHUB_RUN_ID: id, GITHUB_RUN_ATTEMPT: attempt, GITHUB_SERVER_URL: server } = env;
  const repository = env.GITHUB_REPOSITORY;
  const numbered = [id, attempt].filter((part) => part !== undefined && /^\d+$/.test(part));
  return {
    key: [...numbered, randomBytes(4).toString('hex')].join('-'),
    url: server && repository && id ? `${server}/${repository}/actions/runs/${id}` : null,
  };
}
