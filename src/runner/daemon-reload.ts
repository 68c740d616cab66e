import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { ActionError, messageOf } from '../values/errors';
import { byHand } from './by-hand';
import { type DaemonFiles, NoRestart } from './daemon-files';
import { type DockerInfo, isAccepted } from './docker-info';
import type { RunnerHost } from './host';
import { entryOf } from './plan';
import { dockerInfo, type Registry } from './read';

/** A daemon takes its file within a fraction of a second. */
const RELOAD_MS = 10_000;
/** A restart waits for containers to stop: docker.service gives them 10 s, and the daemon then starts anew. */
const RESTART_MS = 60_000;
const POLL_MS = 100;

/**
 * Waits until the daemon accepts the registry after it was told to reload; restarts it when it does not within 10 s,
 * which an old daemon needs that loses the list on a reload (https://github.com/moby/moby/issues/45552).
 *
 * @throws ActionError `Runner daemon not configured`
 */
export async function awaitAccepted(
  host: RunnerHost,
  files: DaemonFiles,
  registry: Registry,
  tools: { log: Log; sleep: Sleep },
): Promise<void> {
  if (await awaitInfo(host, tools.sleep, RELOAD_MS, accepts(registry))) return;
  const { info } = await dockerInfo(host);
  const containers =
    info === null || info.liveRestore ? '' : `; ${info.runningContainers} running containers stop`;
  tools.log.warning(
    `The Docker daemon did not take its configuration by a reload; it is restarted${containers}`,
  );
  let happened = 'neither a reload nor a restart made `docker info` list the registry';
  try {
    await files.restart();
    if (await awaitInfo(host, tools.sleep, RESTART_MS, accepts(registry))) return;
  } catch (error) {
    if (!(error instanceof NoRestart)) throw error;
    happened = `a reload did not make \`docker info\` list the registry, and it was not restarted: ${messageOf(error)}`;
  }
  throw new ActionError('Runner daemon not configured', {
    doing: `letting this runner's Docker daemon accept ${entryOf(registry)}`,
    happened,
    next: `Look at \`journalctl --unit docker\` on this runner. ${byHand(entryOf(registry))}`,
  });
}

/** Waits until the daemon no longer accepts the registry; false when it still does after 10 s. */
export function awaitForgotten(host: RunnerHost, registry: Registry, sleep: Sleep): Promise<boolean> {
  return awaitInfo(host, sleep, RELOAD_MS, (info) => !accepts(registry)(info));
}

function accepts({ host, port }: Registry): (info: DockerInfo) => boolean {
  return (info) => isAccepted(info, host, port);
}

async function awaitInfo(
  host: RunnerHost,
  sleep: Sleep,
  limitMs: number,
  condition: (info: DockerInfo) => boolean,
): Promise<boolean> {
  for (let waited = 0; ; waited += POLL_MS) {
    const { info } = await dockerInfo(host);
    if (info !== null && condition(info)) return true;
    if (waited >= limitMs) return false;
    await sleep(POLL_MS);
  }
}
