import { asPlanned, converge, type Outcome, type Survey, survey } from '../converge/converge';
import { dockerCli, type LocalImage } from '../docker/docker';
import { waitForAll } from '../job/wait-for-all';
import { takeCertificateLease } from '../leases/certificate';
import { noteDaemonJson } from '../leases/daemon-json';
import { findImage, pullImage } from '../push/push';
import { speaksHttps } from '../registry/scheme';
import { requireSharedLoopback } from '../route/docker-loopback';
import { foreignBuilders } from '../runner/buildx';
import { certificateDirectory, takeCertificate } from '../runner/certificate-file';
import { loopbackAdvice } from '../runner/instructions';
import type { RunnerStep } from '../runner/plan';
import type { RegistryTls, RunnerState } from '../runner/read';
import { runnerTarget } from '../runner/runner';
import type { Settings } from '../settings/types';
import { sha256 } from '../values/digest';
import type { RegistryAddress } from './registry-address';
import type { Run } from './run';

/** What it takes that this runner's daemon accepts the registry; null where the settings leave the runner alone. */
export type RunnerSurvey = Survey<RunnerState, RunnerStep> | null;

/** What this runner has to do with a push. */
export interface RunnerReads {
  readonly survey: RunnerSurvey;
  /** The image to push; null in a dry run, and for one that has to come from the registry itself. */
  readonly image: LocalImage | null;
}

/**
 * Begins to read this runner, and gets the image: one that does not exist is found out before anything is changed. That
 * is done while something else is awaited; whoever needs it waits, and sees the error if there is one.
 */
export function beginReading(run: Run, address: RegistryAddress): Promise<RunnerReads> {
  const reads = waitForAll<[RunnerSurvey, LocalImage | null]>([
    surveyRunner(run, address),
    getImage(run, address),
  ]).then(([survey, image]) => ({ survey, image }));
  reads.catch(() => undefined);
  return reads;
}

/** Reads this runner's daemon, and plans. */
async function surveyRunner(run: Run, { host, port }: RegistryAddress): Promise<RunnerSurvey> {
  const { settings, job, leases, log, sleep } = run;
  if (settings.route === 'ssh') return lookAtLoopback(run);
  if (!settings.runner.configure) return null;
  const target = runnerTarget(
    {
      registry: { host, port },
      runId: Object.values(job.identity).join(' '),
      restore: settings.runner.restore,
      restart: settings.runner.restart,
      claimMs: leases.lifetimeMs,
      tls: registryTls(settings, { host, port }),
      onRestorePoint: noteDaemonJson(leases),
    },
    { host: run.host, log, sleep, now: Date.now },
  );
  return survey(target, run);
}

/** Nothing of the daemon is changed for a tunnel; it has to reach it, though. */
async function lookAtLoopback({ settings, host, log }: Run): Promise<null> {
  if (settings.push === null || settings.dryRun) return null;
  const [builders] = await waitForAll<[readonly string[], unknown]>([
    foreignBuilders(host),
    requireSharedLoopback(dockerCli(host.exec)),
  ]);
  if (builders.length > 0) log.foreign(loopbackAdvice(builders));
  return null;
}

function registryTls(
  { registry: { tls } }: Settings,
  { host, port }: Pick<RegistryAddress, 'host' | 'port'>,
): RegistryTls {
  // Where the firewall does not admit this runner yet there is no answer, and the registry is taken to speak HTTP.
  if (tls.kind === 'none') return { speaksHttps: () => speaksHttps(host, port, 1000), authority: false };
  const authority =
    tls.kind === 'private-ca' || (tls.kind === 'certificate' && (tls.given?.authority ?? null) !== null);
  return { speaksHttps: async () => true, authority };
}

/** One claim for all runs that leave it there, until the last second of the year 9999. */
const FOR_GOOD = { claim: 'f'.repeat(16), expires: 253_402_300_799_000 };

/**
 * Lets this runner's Docker trust the authority behind the registry's certificate, until the job ends or, without
 * `restore-runner`, for good.
 *
 * @param ca PEM; null: there is nothing to be told
 * @returns path of a file on this runner that holds it; null: there is none
 */
export async function trustAuthority(
  { settings, job, leases, host, log }: Run,
  { host: name, port }: RegistryAddress,
  ca: string | null,
): Promise<string | null> {
  if (ca === null || settings.dryRun || !settings.runner.configure || settings.route === 'ssh') return null;
  const registry = { host: name, port };
  const claim = sha256(Object.values(job.identity).join(' ')).slice(0, 16);
  const { kind, file, ignored } = settings.runner.restore
    ? await takeCertificateLease(leases, host, registry, ca, claim)
    : await takeCertificate(host, { registry, pem: ca, ...FOR_GOOD, now: leases.now() });
  const directory = certificateDirectory(registry);
  if (kind === 'written')
    log.info(`runner: Docker trusts the authority of the registry, by a file in ${directory}`);
  if (ignored)
    log.warning(
      `With ${directory}/hosts.toml beside them, Docker with the containerd store ignores certificates: remove that file, or name the authority in it`,
    );
  return file;
}

/** Pulls the image where it is not on this runner; one of this very registry only once the registry is set up. */
async function getImage(run: Run, { registry }: RegistryAddress): Promise<LocalImage | null> {
  const { settings, host, log, sleep } = run;
  if (settings.push === null || settings.dryRun) return null;
  const { image } = settings.push;
  const docker = dockerCli(host.exec);
  const found = await findImage(image, docker);
  return found === null && image.domain !== registry ? pullImage(image, { docker, log, sleep }) : found;
}

/** Carries that out. What the post step puts back is no change that lasts, no more than the run's key and opening. */
export async function setUpRunner({ settings }: Run, runner: RunnerSurvey): Promise<Outcome<unknown> | null> {
  if (runner === null) return null;
  const outcome = settings.dryRun ? asPlanned(runner) : await converge(runner);
  return settings.runner.restore ? { ...outcome, changes: [] } : outcome;
}
