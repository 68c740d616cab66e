import type { Target } from '../converge/target';
import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { daemonFiles, type FilesOnDisk } from './daemon-files';
import { awaitAccepted } from './daemon-reload';
import { type DaemonProcess, type RunnerHost, startOf } from './host';
import { type Claim, type Files, fingerprint } from './ledger';
import { entryOf, livenessOf, planRunner, type RunnerStep, type RunnerWish, wantedFiles } from './plan';
import { livePids, type Registry, type RunnerState, readRunner } from './read';
import type { RestorePoint } from './restore';

export interface RunnerOptions {
  readonly registry: Registry;
  /** Names this run among all of this machine: `GITHUB_RUN_ID`, attempt and job, and something random. */
  readonly runId: string;
  /** Put daemon.json back after the job. */
  readonly restore: boolean;
  /** Whether the registry answers HTTPS with a trusted certificate, so that the daemon needs nothing. */
  readonly speaksHttps: () => Promise<boolean>;
  /** Is given what has to be restored, before anything is changed; not called without `restore`. */
  readonly onRestorePoint: (point: RestorePoint) => void;
}

export interface RunnerTools {
  readonly host: RunnerHost;
  readonly log: Log;
  readonly sleep: Sleep;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A claim ends after this in any case; no job on GitHub's runners is longer than 6 hours. */
const CLAIM_MS = 12 * 60 * 60 * 1000;

/** The runner's Docker daemon, which has to accept the registry. */
export function runnerTarget(options: RunnerOptions, tools: RunnerTools): Target<RunnerState, RunnerStep> {
  const { host, now } = tools;
  let process: Claim['process'] = null;
  const wish = (): RunnerWish => {
    const entry = entryOf(options.registry);
    const claim = { id: options.runId, entry, process, expires: now() + CLAIM_MS };
    return { registry: options.registry, claim: options.restore ? claim : null, now: now() };
  };
  return {
    name: 'runner',
    async read() {
      process ??= await jobProcess(host);
      return readRunner(host, options.registry, options.speaksHttps);
    },
    plan: (state) => planRunner(state, wish()),
    async apply({ access, accepted }, plan) {
      if (access?.kind !== 'files') throw new Error('Nothing is planned for a daemon without files');
      const isWritten = await write({ ...access, accepted }, wish(), options, tools);
      return isWritten ? { kind: 'applied', done: plan.steps } : { kind: 'outdated' };
    },
  };
}

/** Writes, and waits until the daemon has taken it; false where somebody else wrote since the files were read. */
async function write(
  state: { daemon: DaemonProcess; files: FilesOnDisk; accepted: boolean },
  wish: RunnerWish,
  options: RunnerOptions,
  { host, log, sleep }: RunnerTools,
): Promise<boolean> {
  const { daemon, files: found, accepted } = state;
  const files = daemonFiles(host, daemon);
  const alive = livenessOf(await livePids(host, found), wish.now);
  const wanted = wantedFiles(found, wish, alive, !found.directoryExists);
  if (options.restore) options.onRestorePoint(restorePoint(found, wanted, daemon, options));
  const loaded = accepted && fingerprint(wanted.file) === fingerprint(found.file);
  if (!(await files.swap(found, wanted, { reload: !loaded }))) return false;
  await awaitAccepted(host, files, options.registry, { log, sleep });
  return true;
}

function restorePoint(
  found: FilesOnDisk,
  wanted: Files,
  daemon: DaemonProcess,
  options: RunnerOptions,
): RestorePoint {
  const base = wanted.ledger === null ? (found.file?.toString('base64') ?? null) : wanted.ledger.base;
  return {
    id: options.runId,
    registry: options.registry,
    configFile: daemon.configFile,
    original: base,
    written: fingerprint(wanted.file),
    madeDirectory: wanted.ledger?.madeDirectory ?? false,
  };
}

/** The process that lives as long as the job; null where there is none to be seen, as in a container. */
async function jobProcess(host: RunnerHost): Promise<Claim['process']> {
  const started = host.parentPid > 1 ? await startOf(host, host.parentPid) : null;
  return started === null ? null : { pid: host.parentPid, started };
}
