import { converge, type Outcome } from '../converge/converge';
import { dockerCli } from '../image/docker';
import { pushImage } from '../image/push';
import { openRegistry, speaksHttps } from '../image/registry-api';
import type { PushedImage } from '../report/outputs';
import type { Run } from '../run';
import { runnerTarget } from '../runner/runner';
import type { RegistryAddress } from '../site/registry-address';

/** Makes this runner's daemon accept the registry; null where the inputs leave the runner alone. */
export async function setUpRunner(
  run: Run,
  { host, port }: RegistryAddress,
): Promise<Outcome<unknown> | null> {
  const { inputs, job, log, sleep } = run;
  if (!inputs.runner.configure) return null;
  const target = runnerTarget(
    {
      registry: { host, port },
      runId: Object.values(job.identity).join(' '),
      restore: inputs.runner.restore,
      speaksHttps: () => speaksHttps(host, port),
      onRestorePoint: (point) => run.pending.note('runner', point),
    },
    { host: run.host, log, sleep, now: Date.now },
  );
  const outcome = await converge(target, { dryRun: inputs.dryRun, log });
  // What the post step puts back is no change that lasts, no more than the run's own key and opening.
  return inputs.runner.restore ? { ...outcome, changes: [] } : outcome;
}

/** Pushes the image under each of its tags; nothing in a dry run. */
export async function push(
  run: Run,
  { host, port, registry }: RegistryAddress,
): Promise<readonly PushedImage[]> {
  const { inputs, log, sleep } = run;
  if (inputs.push === null) return [];
  if (inputs.dryRun) {
    for (const { path, tag } of inputs.push.targets) log.info(`image: would push ${registry}/${path}:${tag}`);
    return [];
  }
  const api = await openRegistry(host, port, sleep);
  try {
    const tools = { docker: dockerCli(run.host.exec), api, log, sleep };
    const pushed = await pushImage({ ...inputs.push, registry }, tools);
    return pushed.map(({ reference, digest }) => ({ reference, digest }));
  } finally {
    api.close();
  }
}
