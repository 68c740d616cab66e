import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { ActionError } from '../values/errors';
import type { DaemonFiles } from './daemon-files';
import { type DockerInfo, isAccepted } from './docker-info';
import type { RunnerHost } from './host';
import { instructions } from './instructions';
import { entryOf, restartNeeded } from './plan';
import { dockerInfo, type Registry } from './read';

/** A daemon takes its file within a fraction of a second. */
const RELOAD_MS = 10_000;
/** A restart waits for containers to stop: docker.service gives them 10 s, and the daemon then starts anew. */
const RESTART_MS = 60_000;
const POLL_MS = 100;
/** `docker info` takes a tenth of a second; a daemon that takes longer than this hangs. */
const ANSWER_MS = 10_000;

/** A daemon that is to accept a registry, and what it takes to make it. */
export interface Reloading {
  readonly host: RunnerHost;
  readonly files: DaemonFiles;
  readonly registry: Registry;
  readonly log: Log;
  readonly sleep: Sleep;
  /** It may be restarted while containers run. */
  readonly mayRestart: boolean;
  /** Its file is what it has started with before, but for the registry. */
  readonly isKnownToBeGood: boolean;
  /** Puts its file back as it was. */
  readonly putBack: () => Promise<void>;
}

/** What the daemon says once it accepts the registry, for up to 10 s after it was told to reload; null: it does not. */
export function awaitAccepted(
  host: RunnerHost,
  registry: Registry,
  sleep: Sleep,
): Promise<DockerInfo | null> {
  return awaitInfo(host, sleep, RELOAD_MS, accepts(registry));
}

/** Waits until the daemon no longer accepts the registry; false when it still does after 10 s. */
export async function awaitForgotten(host: RunnerHost, registry: Registry, sleep: Sleep): Promise<boolean> {
  return (await awaitInfo(host, sleep, RELOAD_MS, (info) => !accepts(registry)(info))) !== null;
}

/** Whether the daemon answers at all. */
export async function answers(host: RunnerHost): Promise<boolean> {
  return (await dockerInfo(host, ANSWER_MS)).info !== null;
}

/**
 * Restarts a daemon that has its file and does not take it by a reload, and waits until it accepts the registry. Never
 * while containers run, unless that is asked for; never where it is not known that the daemon comes back. Where it
 * does not come back all the same, its file is put back, and it is started again.
 *
 * @throws ActionError `Runner daemon needs a restart`, `Runner daemon not configured`
 */
export async function restartDaemon(reloading: Reloading): Promise<void> {
  const { host, files, registry, log, sleep, mayRestart, isKnownToBeGood } = reloading;
  const { info, message } = await dockerInfo(host, ANSWER_MS);
  if (info === null)
    throw notAccepted(registry, `the daemon does not answer any more, and was not restarted (${message})`);
  const running = info.runningContainers;
  if (running > 0 && !mayRestart)
    throw restartNeeded(entryOf(registry), running, 'the daemon does not take its file by a reload');
  const effect = info.liveRestore
    ? 'what `docker exec` and `docker build` are at is cut off'
    : `running containers that stop: ${running}`;
  log.warning(`The Docker daemon does not take its configuration by a reload; it is restarted (${effect})`);
  const failure = await files.restart(isKnownToBeGood);
  if (failure?.kind === 'not-tried') {
    throw notAccepted(
      registry,
      `it did not take its file by a reload, and was not restarted: ${failure.reason}`,
    );
  }
  if (failure?.kind === 'dead') throw await revived(reloading, failure.unit);
  if ((await awaitInfo(host, sleep, RESTART_MS, accepts(registry))) !== null) return;
  throw notAccepted(registry, 'neither a reload nor a restart made `docker info` list the registry');
}

/** Puts the file back after a restart that the daemon did not survive, and starts it; returns the error that says so. */
async function revived({ files, registry, putBack }: Reloading, unit: string): Promise<ActionError> {
  await putBack();
  const runs = await files.start(unit);
  return notAccepted(
    registry,
    runs
      ? 'the daemon did not come back from a restart with it; its file was put back as it was, and the daemon was started again'
      : 'the daemon did not come back from a restart with it, and does not start with its file as it was, either',
  );
}

function notAccepted(registry: Registry, happened: string): ActionError {
  return new ActionError('Runner daemon not configured', {
    doing: `letting this runner's Docker daemon accept ${entryOf(registry)}`,
    happened,
    next: `Look at \`journalctl --unit docker\` on this runner. ${instructions(entryOf(registry))}`,
  });
}

function accepts({ host, port }: Registry): (info: DockerInfo) => boolean {
  return (info) => isAccepted(info, host, port);
}

async function awaitInfo(
  host: RunnerHost,
  sleep: Sleep,
  limitMs: number,
  condition: (info: DockerInfo) => boolean,
): Promise<DockerInfo | null> {
  for (let waited = 0; ; waited += POLL_MS) {
    const { info, hangs } = await dockerInfo(host, ANSWER_MS);
    if (info !== null && condition(info)) return info;
    if (hangs) waited += ANSWER_MS;
    if (waited >= limitMs) return null;
    await sleep(POLL_MS);
  }
}
