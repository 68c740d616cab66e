import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { cacheFolder } from './checkout.ts';
import { raiseLimits, restoreLimits } from './host-limits.ts';
import { readHostNetwork, restoreHostNetwork } from './host-network.ts';
import { clearLeftovers } from './leftovers.ts';
import { say } from './phases.ts';
import { attempt, end, eventually, isAlive, LabError, startDetached } from './process.ts';
import { readEngine, recordEngine, STATE_FOLDER } from './state.ts';

const SOCKET = '/var/run/docker.sock';
const EXEC_ROOT = `${STATE_FOLDER}/engine`;
const PID_FILE = `${STATE_FOLDER}/dockerd.pid`;
/** Made by an engine wherever its own folders are. */
const SHARED_FOLDERS = ['/run/containerd', '/run/docker'];
const LOG_FILE = `${STATE_FOLDER}/dockerd.log`;
const START_LIMIT_MS = 60_000;

/** Whether a Docker engine answers. */
export async function engineAnswers(): Promise<boolean> {
  const version = await attempt('docker', ['version', '--format', '{{.Server.Version}}'], {
    timeoutMs: 10_000,
  });
  return version.status === 0;
}

/** Whether the running engine is the one that a lab started. */
export function engineIsOurs(): boolean {
  return isAlive(readEngine()?.enginePid, 'dockerd');
}

/**
 * Uses the engine that is running; starts one with a data folder in the lab's cache where there is none, or where that
 * folder was removed under the labs' own. All labs of a host share one engine.
 */
export async function ensureEngine(): Promise<void> {
  const isUsable = !engineIsOurs() || existsSync(dataRoot());
  if (!isUsable) await stopEngine();
  if (isUsable && (await engineAnswers())) {
    say(engineIsOurs() ? "the lab's Docker engine is running" : 'using the Docker engine that is running');
    return;
  }
  if (!canResume()) await clearLeftovers(EXEC_ROOT);
  for (const file of [SOCKET, PID_FILE]) rmSync(file, { force: true });
  if (readEngine()?.hostNetwork === undefined) {
    const madeFolders = SHARED_FOLDERS.filter((folder) => !existsSync(folder));
    const inotifyLimit = raiseLimits();
    recordEngine({
      hostNetwork: await readHostNetwork(),
      madeFolders,
      ...(inotifyLimit !== null && { inotifyLimit }),
    });
  }
  const folder = existsSync(dataRoot()) ? dataRoot() : ownDataRoot();
  const pid = startDetached(
    'dockerd',
    [
      ...['--data-root', folder, '--exec-root', EXEC_ROOT],
      ...['--pidfile', PID_FILE, '--host', `unix://${SOCKET}`],
    ],
    LOG_FILE,
  );
  recordEngine({ enginePid: pid, dataRoot: folder });
  const started = await eventually(
    async () => !isAlive(pid, 'dockerd') || (await engineAnswers()),
    START_LIMIT_MS,
    200,
  );
  if (!(started && isAlive(pid, 'dockerd'))) {
    const words = readFileSync(LOG_FILE, 'utf8').trim().split('\n').slice(-10).join('\n');
    throw new LabError(`The Docker engine did not start; the last lines of ${LOG_FILE}:\n${words}`);
  }
}

/** Another checkout's where that one started the engine: the machines of all labs are in there. */
function dataRoot(): string {
  return readEngine()?.dataRoot ?? ownDataRoot();
}

function ownDataRoot(): string {
  return realpathSync(cacheFolder('engine'));
}

/** Whether a killed engine left its containerd: it then finds its containers and restarts them itself. */
function canResume(): boolean {
  const file = `${EXEC_ROOT}/containerd/containerd.pid`;
  return existsSync(dataRoot()) && existsSync(file) && isAlive(Number(readFileSync(file, 'utf8')), EXEC_ROOT);
}

/** Stops the engine that a lab started, and what it leaves behind; one that was there before goes on. */
export async function stopEngine(): Promise<void> {
  const state = readEngine();
  if (state?.enginePid === undefined) return;
  if (engineIsOurs()) await attempt('docker', ['network', 'prune', '--force']);
  await end(state.enginePid, 'dockerd', 30_000);
  if (await engineAnswers()) return;
  await clearLeftovers(EXEC_ROOT);
  for (const folder of state.madeFolders ?? []) rmSync(folder, { recursive: true, force: true });
  if (state.hostNetwork !== undefined) await restoreHostNetwork(state.hostNetwork);
  if (state.inotifyLimit !== undefined) restoreLimits(state.inotifyLimit);
}
