/**
 * The longest that a job runs: 6 hours on GitHub's own runners, 5 days on those of others.
 *
 * https://docs.github.com/actions/reference/limits, https://docs.github.com/actions/reference/usage-limits-for-self-hosted-runners
 */
const LONGEST_JOB_HOURS = { hosted: 6, selfHosted: 5 * 24 };

/** For post steps, which begin when the job's time is over, and for clocks that differ. */
const MARGIN_HOURS = 1;

/**
 * How long what a run takes may last without its post step. Milliseconds.
 *
 * Nothing of an action runs between its main and its post step, so nothing can be renewed meanwhile: it is the longest
 * that the job can last. Nobody may take it for left behind before that, as the run may still live.
 *
 * @param runnerEnvironment `RUNNER_ENVIRONMENT`: `github-hosted` or `self-hosted`; anything else gets the longer time
 */
export function lifetimeMs(runnerEnvironment: string | undefined): number {
  const job = runnerEnvironment === 'github-hosted' ? LONGEST_JOB_HOURS.hosted : LONGEST_JOB_HOURS.selfHosted;
  return (job + MARGIN_HOURS) * 60 * 60 * 1000;
}
