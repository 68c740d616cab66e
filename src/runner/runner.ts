import type { Target } from '../converge/target';
import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { type DaemonFiles, daemonFiles } from './daemon-files';
import { awaitAccepted, restartDaemon } from './daemon-reload';
import { jobProcess, type RunnerHost } from './host';
import {
  entryOf,
  livenessOf,
  needsRestart,
  planRunner,
  type RunnerStep,
  type RunnerWish,
  wantedFiles,
  withoutDead,
} from './plan';
import {
  type FileAccess,
  livePids,
  type Registry,
  type RegistryTls,
  type RunnerState,
  readRunner,
} from './read';
import { type RestorePoint, restoreRunner } from './restore';
import { type Claim, type Files, fingerprint, release } from './shared-use';

export interface RunnerOptions {
  readonly registry: Registry;
  /** Names this run among all of this machine: `GITHUB_RUN_ID`, attempt and job, and something random. */
  readonly runId: string;
  /** Put daemon.json back after the job. */
  readonly restore: boolean;
  /** The daemon may be restarted while containers run, where a reload is not enough. */
  readonly restart: boolean;
  /** A claim on the entry ends after this in any case: the longest that the job can last. Milliseconds. */
  readonly claimMs: number;
  readonly tls: RegistryTls;
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

/** The runner's Docker daemon, which has to accept the registry. */
export function runnerTarget(options: RunnerOptions, tools: RunnerTools): Target<RunnerState, RunnerStep> {
  const { host, now } = tools;
  let process: Claim['process'] = null;
  const wish = (): RunnerWish => {
    const entry = entryOf(options.registry);
    const claim = { id: options.runId, entry, process, expires: now() + options.claimMs };
    const { registry, restart, restore } = options;
    const { authority } = options.tls;
    return { registry, authority, claim: restore ? claim : null, restart, now: now() };
  };
  return {
    name: 'runner',
    async read() {
      process ??= await jobProcess(host);
      return readRunner(host, options.registry, options.tls);
    },
    plan: (state) => planRunner(state, wish()),
    async apply(state, { steps }) {
      if (state.access?.kind !== 'files')
        throw new Error('Nothing is planned for a daemon that cannot be changed');
      if (state.unverified) {
        // Nobody's claim: those of dead runs go, and the daemon forgets the registry.
        const nobody = { ...options, runId: '' };
        const point = restorePoint(state, state.access, withoutDead(state.access, now()), nobody);
        await restoreRunner(point, host, tools);
        return { kind: 'applied', done: steps };
      }
      const { isWritten, after } = await applyTo(state, state.access, wish(), options, tools);
      if (!isWritten) return { kind: 'outdated' };
      return { kind: 'applied', done: steps, ...(after === null ? {} : { state: after }) };
    },
  };
}

interface Written {
  /** False: somebody changed the files since they were read. */
  readonly isWritten: boolean;
  /** The state afterwards; null where the daemon may be another one. */
  readonly after: RunnerState | null;
}

/** Writes, and waits until the daemon has taken it. */
async function applyTo(
  state: RunnerState,
  access: FileAccess,
  wish: RunnerWish,
  options: RunnerOptions,
  { host, log, sleep, now }: RunnerTools,
): Promise<Written> {
  const { registry } = options;
  const { daemon, files: found } = access;
  const files = daemonFiles(host, daemon.configFile, daemon);
  const wanted = wantedFiles(state, access, wish);
  if (options.restore) {
    const point = restorePoint(state, access, wanted, options);
    // A log with debugging shows what is saved for the post step, and the file can hold the password of a proxy.
    // https://github.com/actions/runner/blob/v2.315.0/src/Runner.Worker/FileCommandManager.cs#L293
    if (point.original) log.mask(point.original);
    options.onRestorePoint(point);
  }
  const isLoaded = state.accepted && fingerprint(wanted.file) === fingerprint(found.file);
  const mustRestart = !state.accepted && needsRestart(state, access);
  const swapped = await files.swap(found, wanted, { reload: !isLoaded && !mustRestart });
  if (swapped === null) return { isWritten: false, after: null };
  const info = mustRestart ? null : await awaitAccepted(host, registry, sleep);
  if (info !== null) {
    return {
      isWritten: true,
      after: await readAgain({ ...state, accepted: true, info }, access, files, host),
    };
  }
  await restartDaemon({
    ...{ host, files, registry, log, sleep, mayRestart: wish.restart, isKnownToBeGood: found.asLoaded },
    async putBack() {
      const present = await files.read();
      if (present === null) return;
      const isAlive = livenessOf(await livePids(host, present), now());
      const before =
        wish.claim === null
          ? { file: found.file, record: found.record }
          : release(present, wish.claim.id, isAlive);
      await files.swap(present, before, { reload: false });
    },
  });
  return { isWritten: true, after: null };
}

/** Reads what a reload can have changed: the files. The daemon, and how it is spoken to, are as they were. */
async function readAgain(
  state: RunnerState,
  access: FileAccess,
  files: DaemonFiles,
  host: RunnerHost,
): Promise<RunnerState | null> {
  const found = await files.read({ judge: false });
  if (found === null) return null;
  return { ...state, access: { ...access, files: found, alive: await livePids(host, found) } };
}

function restorePoint(
  { info }: RunnerState,
  { daemon, socket, files }: FileAccess,
  wanted: Files,
  options: RunnerOptions,
): RestorePoint {
  const base = wanted.record === null ? (files.file?.toString('base64') ?? null) : wanted.record.base;
  return {
    id: options.runId,
    registry: options.registry,
    configFile: daemon.configFile,
    daemon: { pid: daemon.pid, started: daemon.started },
    socket,
    serverVersion: info?.serverVersion ?? '',
    original: base,
    written: fingerprint(wanted.file),
    madeDirectory: wanted.record?.madeDirectory ?? false,
    implicit: wanted.record?.implicit ?? [],
  };
}
