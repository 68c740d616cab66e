import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { ActionError, messageOf } from '../values/errors';
import { type DaemonFiles, daemonFiles, type FilesOnDisk } from './daemon-files';
import { BrokenDaemonJson, insecureRegistries, withEmptyList } from './daemon-json';
import { awaitForgotten } from './daemon-reload';
import { findDaemon, type RunnerHost } from './host';
import { type Files, fingerprint, release } from './ledger';
import { livenessOf } from './plan';
import { livePids, type Registry } from './read';
import { PAUSE_MS, TRIES } from './tries';

/** What has to be put back on the runner after the job: plain data, kept in the action's state. */
export interface RestorePoint {
  /** The run's claim. */
  readonly id: string;
  readonly registry: Registry;
  readonly configFile: string;
  /** daemon.json as it was found, in base64; null when there was none. */
  readonly original: string | null;
  /** Fingerprint of what was written in its place. */
  readonly written: string;
  readonly madeDirectory: boolean;
}

export interface RestoreTools {
  readonly log: Log;
  readonly sleep: Sleep;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Puts the configuration of the runner's daemon back, byte for byte where nobody else changed it since, and lets the
 * daemon forget the registry. An entry that another run still needs stays until that one ends. Does nothing, the
 * second time.
 *
 * @throws ActionError `Runner not restored`
 */
export async function restoreRunner(
  point: RestorePoint,
  host: RunnerHost,
  tools: RestoreTools,
): Promise<void> {
  const daemon = await findDaemon(host);
  if (daemon === null) throw notRestored(point, 'the daemon does not run any more');
  const files = daemonFiles(host, { ...daemon, configFile: point.configFile });
  try {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (await restoreOnce(point, host, files, tools)) return;
      await tools.sleep(Math.round(Math.random() * PAUSE_MS));
    }
  } catch (error) {
    if (error instanceof BrokenDaemonJson)
      throw notRestored(point, `somebody broke the file: ${messageOf(error)}`);
    throw error;
  }
  throw notRestored(point, 'something else keeps changing the file');
}

/** One try; false when somebody else wrote in between. */
async function restoreOnce(
  point: RestorePoint,
  host: RunnerHost,
  files: DaemonFiles,
  { log, sleep, now }: RestoreTools,
): Promise<boolean> {
  const found = await files.read();
  if (found === null)
    throw notRestored(point, 'the job runs neither as root nor with sudo without a password');
  const present = withLedger(found, point);
  const wanted = release(present, point.id, livenessOf(await livePids(host, found), now()));
  const before = insecureRegistries(found.file) ?? [];
  const after = insecureRegistries(wanted.file);
  const goes = before.filter((entry) => !after?.includes(entry));
  if (goes.length === 0) {
    const isSame = fingerprint(found.file) === fingerprint(wanted.file) && found.ledger === null;
    return isSame || files.swap(found, wanted, { reload: false });
  }

  // Without the key dockerd keeps what it has loaded: an empty list goes first, and then the file as it was.
  const inBetween = after === null ? withEmptyList(found.file) : null;
  const first =
    inBetween === null ? wanted : { file: inBetween, ledger: ledgerFor(wanted, inBetween, present) };
  if (!(await files.swap(found, first, { reload: true }))) return false;
  if (goes.includes(entryIn(point)) && !(await awaitForgotten(host, point.registry, sleep))) {
    log.warning(`The Docker daemon still accepts ${entryIn(point)}; it forgets it at its next start`);
  }
  if (inBetween === null) return true;
  const again = await files.read();
  // Changed by another run meanwhile: the next try starts from what is there now.
  if (again === null || fingerprint(again.file) !== fingerprint(inBetween)) return false;
  return files.swap(again, wanted, { reload: false });
}

/** Where the ledger is gone (the machine was restarted), the restore point stands in for it. */
function withLedger(found: FilesOnDisk, point: RestorePoint): Files {
  if (found.ledger !== null) return found;
  const { original, written, madeDirectory, id } = point;
  const mine = { id, entry: entryIn(point), process: null, expires: Number.MAX_SAFE_INTEGER };
  return { file: found.file, ledger: { base: original, written, madeDirectory, claims: [mine] } };
}

/** The ledger beside the file with the empty list: nobody claims anything, and the owner's bytes are still known. */
function ledgerFor(wanted: Files, inBetween: Buffer, present: Files): Files['ledger'] {
  const base = wanted.file?.toString('base64') ?? null;
  const madeDirectory = present.ledger?.madeDirectory ?? false;
  return { base, written: fingerprint(inBetween), madeDirectory, claims: [] };
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
