import { messageOf } from '../errors';
import { dockerCli } from '../image/docker';
import { putTagBackLater } from '../image/local-tag';
import type { Run } from '../run';
import { restoreRunner } from '../runner/restore';
import { openGoogle } from '../site/google';
import { closeOpening, removeKey } from './google';

/**
 * Undoes what the main step left behind: its key, its opening, and what it changed on the runner and its images. Each
 * is tried, whatever becomes of the others; returns the messages of those that failed.
 */
export async function cleanUp(run: Run): Promise<string[]> {
  const results = await Promise.allSettled([cleanUpGoogle(run), cleanUpRunner(run), cleanUpTag(run)]);
  return results.flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : result.value,
  );
}

/** A job that was cancelled has five minutes for all of its post steps, and Google goes on without us. */
const OPERATION_LIMIT_MS = 60_000;

async function cleanUpGoogle(run: Run): Promise<string[]> {
  const { pending } = run;
  const key = pending.read('key');
  const opening = pending.read('opening');
  if (key === null && opening === null) return [];
  const { compute } = await openGoogle(run, { operationLimitMs: OPERATION_LIMIT_MS });
  const results = await Promise.allSettled([
    key && removeKey(key, compute, run),
    opening && closeOpening(opening, compute, run),
  ]);
  return results.flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : []));
}

async function cleanUpTag({ host, log, pending }: Run): Promise<string[]> {
  const tag = pending.read('tag');
  if (tag === null) return [];
  await putTagBackLater(tag, dockerCli(host.exec));
  log.info(`The local tag ${tag.reference} is as it was before the push`);
  return [];
}

async function cleanUpRunner({ host, log, pending, sleep }: Run): Promise<string[]> {
  const point = pending.read('runner');
  if (point === null) return [];
  await restoreRunner(point, host, { log, sleep, now: Date.now });
  log.info(`${point.configFile} is as it was`);
  return [];
}
