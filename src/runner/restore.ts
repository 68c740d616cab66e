import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { ActionError, messageOf } from '../values/errors';
import { type DaemonFiles, daemonFiles, type FilesOnDisk } from './daemon-files';
import { BrokenDaemonJson, hasMirrors, insecureRegistries, withList } from './daemon-json';
import { type DaemonProcess, findListener } from './daemon-process';
import { answers, awaitForgotten } from './daemon-reload';
import { forgetsOnReload } from './docker-info';
import { type RunnerHost, startOf } from './host';
import { livenessOf } from './plan';
import { livePids, type Registry } from './read';
import { type Files, fingerprint, release } from './shared-use';

/** What has to be put back on the runner after the job: plain data, kept in the action's state. */
export interface RestorePoint {
  /** The run's claim. */
  readonly id: string;
  readonly registry: Registry;
  readonly configFile: string;
  /** The daemon whose file it is, and where it listens; it may be another process by then. */
  readonly daemon: { readonly pid: number; readonly started: string };
  readonly socket: string;
  readonly serverVersion: string;
  /** daemon.json as it was found, in base64; null when there was none. */
  readonly original: string | null;
  /** Fingerprint of what was written in its place. */
  readonly written: string;
  readonly madeDirectory: boolean;
  /** What was listed beside the entry; see shared-use.ts. */
  readonly implicit: readonly string[];
}

export interface RestoreTools {
  readonly log: Log;
  readonly sleep: Sleep;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Somebody else may write at the same moment, a dozen jobs of one machine that end together, say: then once more. */
const TRIES = 50;
/** Longest pause before another try, in milliseconds; random, so that runs which met do not meet again. */
const PAUSE_MS = 500;

/**
 * Puts the configuration of the runner's daemon back, byte for byte where nobody else changed it since, and lets the
 * daemon forget the registry. The file is put back whatever state the daemon is in: dead, hanging, or another process
 * by now. An entry that another run still needs stays until that one ends. Does nothing, the second time.
 *
 * @throws ActionError `Runner not restored`
 */
export async function restoreRunner(
  point: RestorePoint,
  host: RunnerHost,
  tools: RestoreTools,
): Promise<void> {
  const daemon = await daemonOf(point, host);
  const files = daemonFiles(host, point.configFile, daemon);
  try {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (await restoreOnce({ point, host, files, daemon, ...tools })) return;
      await tools.sleep(Math.round(Math.random() * PAUSE_MS));
    }
  } catch (error) {
    if (error instanceof BrokenDaemonJson)
      throw notRestored(point, `somebody broke the file: ${messageOf(error)}`);
    throw error;
  }
  throw notRestored(point, 'something else keeps changing the file');
}

type Daemon = Pick<DaemonProcess, 'pid' | 'started'>;

interface Restoring extends RestoreTools {
  readonly point: RestorePoint;
  readonly host: RunnerHost;
  readonly files: DaemonFiles;
  readonly daemon: Daemon | null;
}

/** The daemon of the main step, or the one that has its socket and its file now; null where none runs. */
async function daemonOf(point: RestorePoint, host: RunnerHost): Promise<Daemon | null> {
  if ((await startOf(host, point.daemon.pid)) === point.daemon.started) return point.daemon;
  const listener = await findListener(host, point.socket);
  return listener.kind === 'daemon' && listener.daemon.configFile === point.configFile
    ? listener.daemon
    : null;
}

/** One try; false when somebody else wrote in between. */
async function restoreOnce(restoring: Restoring): Promise<boolean> {
  const { point, host, files, log, now } = restoring;
  const found = await files.read();
  if (found === null)
    throw notRestored(point, 'the job runs neither as root nor with sudo without a password');
  const present = withRecord(found, point);
  const wanted = release(present, point.id, livenessOf(await livePids(host, found), now()));
  const before = insecureRegistries(found.file) ?? [];
  const after = insecureRegistries(wanted.file);
  const goes = before.filter((entry) => !after?.includes(entry));
  if (goes.length === 0) {
    const isSame = fingerprint(found.file) === fingerprint(wanted.file) && found.record === null;
    return isSame || (await files.swap(found, wanted, { reload: false })) !== null;
  }
  const silence = await whyNotTold(restoring, found);
  if (silence === null)
    return restoreAndTell(restoring, found, wanted, present, goes.includes(entryIn(point)));
  // A daemon that hangs gets the signal all the same, and takes it when it can.
  const reload = silence.kind === 'hangs';
  if ((await files.swap(found, wanted, { reload })) === null) return false;
  if (silence.kind === 'dead') log.info(silence.text);
  else log.warning(`${silence.text}: it accepts ${entryIn(point)} until it starts the next time`);
  return true;
}

/** Why the daemon cannot be told to load its file; null: it can. */
async function whyNotTold({ point, host, daemon }: Restoring, { file }: FilesOnDisk) {
  if (daemon === null) {
    const text = `The Docker daemon of ${point.configFile} does not run; it reads the file when it starts`;
    return { kind: 'dead', text } as const;
  }
  if (!(await answers(host))) return { kind: 'hangs', text: 'The Docker daemon does not answer' } as const;
  if (forgetsOnReload(point.serverVersion) && hasMirrors(file)) {
    const text = `Docker ${point.serverVersion} would forget the insecure registries of others by a reload`;
    return { kind: 'harm', text } as const;
  }
  return null;
}

async function restoreAndTell(
  { point, host, files, log, sleep }: Restoring,
  found: FilesOnDisk,
  wanted: Files,
  present: Files,
  mineGoes: boolean,
): Promise<boolean> {
  // Without the key dockerd keeps what it has loaded: a list goes first, and then the file as it was.
  const isWithoutList = insecureRegistries(wanted.file) === null;
  const inBetween = isWithoutList ? withList(found.file, present.record?.implicit ?? []) : null;
  const first =
    inBetween === null ? wanted : { file: inBetween, record: recordFor(wanted, inBetween, present) };
  const told = await files.swap(found, first, { reload: true });
  if (told === null) return false;
  if (mineGoes && !(told.told && (await awaitForgotten(host, point.registry, sleep)))) {
    log.warning(`The Docker daemon still accepts ${entryIn(point)}; it forgets it at its next start`);
  }
  if (inBetween === null) return true;
  const again = await files.read();
  // Changed by another run meanwhile: the next try starts from what is there now.
  if (again === null || fingerprint(again.file) !== fingerprint(inBetween)) return false;
  return (await files.swap(again, wanted, { reload: false })) !== null;
}

/** Where the record is gone (the machine was restarted), the restore point stands in for it. */
function withRecord(found: FilesOnDisk, point: RestorePoint): Files {
  if (found.record !== null) return found;
  const { original, written, madeDirectory, implicit, id } = point;
  const mine = { id, entry: entryIn(point), process: null, expires: Number.MAX_SAFE_INTEGER };
  const record = { base: original, written, madeDirectory, implicit, claims: [mine] };
  return { file: found.file, record };
}

/** The record beside the file in between: nobody claims anything, and the owner's bytes are still known. */
function recordFor(wanted: Files, inBetween: Buffer, present: Files): Files['record'] {
  const base = wanted.file?.toString('base64') ?? null;
  const { madeDirectory = false, implicit = [] } = present.record ?? {};
  return { base, written: fingerprint(inBetween), madeDirectory, implicit, claims: [] };
}

function entryIn({ registry }: RestorePoint): string {
  return `${registry.host}:${registry.port}`;
}

function notRestored(point: RestorePoint, happened: string): ActionError {
  return new ActionError('Runner not restored', {
    doing: `putting ${point.configFile} of this runner back as it was`,
    happened,
    next: `Remove ${JSON.stringify(entryIn(point))} from "insecure-registries" in ${point.configFile} by hand, and reload the daemon`,
  });
}
