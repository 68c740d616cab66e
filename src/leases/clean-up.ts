import { dockerCli } from '../docker/docker';
import { putTagBackLater } from '../docker/local-tag';
import type { Compute } from '../google/compute';
import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import type { RunnerHost } from '../runner/host';
import { restoreRunner } from '../runner/restore';
import { messageOf } from '../values/errors';
import { closeOpening, removeKey } from './google';
import type { Pending } from './pending';

/** What it takes to undo things. */
export interface Undoing {
  readonly pending: Pending;
  readonly host: RunnerHost;
  readonly log: Log;
  readonly sleep: Sleep;
  /** Authenticates; called only where something of Google's is to be undone. */
  readonly openCompute: (options: { readonly operationLimitMs: number }) => Promise<Compute>;
}

/**
 * Undoes what the main step left behind: its key, its opening, and what it changed on the runner and its images. Each
 * is tried, whatever becomes of the others; returns the messages of those that failed.
 */
export async function cleanUp(run: Undoing): Promise<string[]> {
  const results = await Promise.allSettled([cleanUpGoogle(run), cleanUpRunner(run), cleanUpTag(run)]);
  return results.flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : result.value,
  );
}

/** A job that was cancelled has five minutes for all of its post steps, and Google goes on without us. */
const OPERATION_LIMIT_MS = 60_000;

async function cleanUpGoogle(run: Undoing): Promise<string[]> {
  const { pending } = run;
  const key = pending.read('key');
  const opening = pending.read('opening');
  if (key === null && opening === null) return [];
  const compute = await run.openCompute({ operationLimitMs: OPERATION_LIMIT_MS });
  const results = await Promise.allSettled([
    key && removeKey(key, compute, run),
    opening && closeOpening(opening, compute, run),
  ]);
  return results.flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : []));
}

async function cleanUpTag({ host, log, pending }: Undoing): Promise<string[]> {
  const tag = pending.read('tag');
  if (tag === null) return [];
  await putTagBackLater(tag, dockerCli(host.exec));
  log.info(`The local tag ${tag.reference} is as it was before the push`);
  return [];
}

async function cleanUpRunner({ host, log, pending, sleep }: Undoing): Promise<string[]> {
  const point = pending.read('runner');
  if (point === null) return [];
  await restoreRunner(point, host, { log, sleep, now: Date.now });
  log.info(`${point.configFile} is as it was`);
  return [];
}
