import { asPlanned, converge, type Outcome, type Survey, survey } from '../converge/converge';
import { dockerCli, type LocalImage } from '../docker/docker';
import type { PushTag } from '../docker/local-tag';
import { PAUSES_MS } from '../job/retry';
import { together } from '../job/together';
import { findImage, pushImage } from '../push/push';
import { openRegistry } from '../registry/api';
import { waitUntilAnswered } from '../registry/reach';
import { findEndpoint, speaksHttps } from '../registry/scheme';
import type { PushedImage } from '../report/outputs';
import type { RunnerStep } from '../runner/plan';
import type { RunnerState } from '../runner/read';
import { runnerTarget } from '../runner/runner';
import { resolveTargets } from '../values/reference';
import type { Run } from './run';
import type { RegistryAddress } from './site/registry-address';

/** What it takes that this runner's daemon accepts the registry; null where the inputs leave the runner alone. */
export type RunnerSurvey = Survey<RunnerState, RunnerStep> | null;

/** Reads this runner's daemon, and plans. */
async function surveyRunner(run: Run, { host, port }: RegistryAddress): Promise<RunnerSurvey> {
  const { inputs, job, log, sleep } = run;
  if (!inputs.runner.configure) return null;
  const target = runnerTarget(
    {
      registry: { host, port },
      runId: Object.values(job.identity).join(' '),
      restore: inputs.runner.restore,
      restart: inputs.runner.restart,
      // Where the firewall does not admit this runner yet, nothing answers, and the registry is taken to speak HTTP.
      speaksHttps: () => speaksHttps(host, port, 1000),
      onRestorePoint: (point) => run.pending.note('runner', point),
    },
    { host: run.host, log, sleep, now: Date.now },
  );
  return survey(target, run);
}

/** Carries that out. What the post step puts back is no change that lasts, no more than the run's key and opening. */
export async function setUpRunner({ inputs }: Run, runner: RunnerSurvey): Promise<Outcome<unknown> | null> {
  if (runner === null) return null;
  const outcome = inputs.dryRun ? asPlanned(runner) : await converge(runner);
  return inputs.runner.restore ? { ...outcome, changes: [] } : outcome;
}

/** What this runner has to do with a push. */
export interface RunnerReads {
  readonly survey: RunnerSurvey;
  /** The image to push; null: it has to be pulled. */
  readonly found: LocalImage | null;
}

/**
 * Begins to read this runner. That is done while something else is awaited; whoever needs it waits, and sees the error
 * if there is one.
 */
export function beginReading(run: Run, address: RegistryAddress): Promise<RunnerReads> {
  const reads = together<[RunnerSurvey, LocalImage | null]>([
    surveyRunner(run, address),
    findLocalImage(run),
  ]).then(([survey, found]) => ({ survey, found }));
  reads.catch(() => undefined);
  return reads;
}

/** The image to push, where it is on this runner. */
async function findLocalImage({ inputs, host }: Run): Promise<LocalImage | null> {
  return inputs.push === null || inputs.dryRun ? null : findImage(inputs.push.image, dockerCli(host.exec));
}

/** How long the registry may be away while it is only asked. */
const AWAY_MS = 31_000;

/**
 * Pushes the image under each of its tags; nothing in a dry run.
 *
 * @param mend called before something that failed for a transient reason is tried again
 */
export async function push(
  run: Run,
  { host, port, registry }: RegistryAddress,
  found: LocalImage | null,
  mend: () => Promise<void> = async () => undefined,
): Promise<readonly PushedImage[]> {
  const { inputs, log, sleep } = run;
  if (inputs.push === null) return [];
  const targets = resolveTargets(inputs.push.targets, [registry]);
  if (inputs.dryRun) {
    for (const { path, tag } of targets) log.info(`image: would push ${registry}/${path}:${tag}`);
    return [];
  }
  await waitUntilAnswered({ host, port }, log, sleep);
  const api = openRegistry(await findEndpoint(host, port), sleep, {
    pausesMs: PAUSES_MS,
    limitMs: AWAY_MS,
    announce: (pauseMs, why) =>
      log.info(`Waiting for the registry, up to ${AWAY_MS / 1000} s (${why}); again in ${pauseMs / 1000} s`),
    mend,
  });
  try {
    const onTag = (tag: PushTag | null) => run.pending.note('tag', tag);
    const tools = { docker: dockerCli(run.host.exec), api, log, sleep, onTag, mend };
    const pushed = await pushImage({ ...inputs.push, targets, registry }, found, tools);
    return pushed.map(({ reference, digest }) => ({ reference, digest }));
  } finally {
    api.close();
  }
}
