import { messageOf } from '../errors';
import type { Run } from '../run';
import { restoreRunner } from '../runner/restore';
import { openGoogle } from '../site/google';
import { removeSshKey } from '../ssh/keypair';

/**
 * Undoes what the main step left behind: its key, its opening, and what it changed on the runner. Each is tried,
 * whatever becomes of the others; returns the messages of those that failed.
 */
export async function cleanUp(run: Run): Promise<string[]> {
  const results = await Promise.allSettled([cleanUpGoogle(run), cleanUpRunner(run)]);
  return results.flatMap((result) =>
    result.status === 'rejected' ? [messageOf(result.reason)] : result.value,
  );
}

/** A job that was cancelled has five minutes for all of its post steps, and Google goes on without us. */
const OPERATION_LIMIT_MS = 60_000;

async function cleanUpGoogle(run: Run): Promise<string[]> {
  const { log, pending } = run;
  const key = pending.read('key');
  const opening = pending.read('opening');
  if (key === null && opening === null) return [];
  const { compute } = await openGoogle(run, { operationLimitMs: OPERATION_LIMIT_MS });
  const results = await Promise.allSettled([
    key && compute.editMetadata('ssh-keys', (value) => removeSshKey(value, key.entry, new Date())),
    opening && compute.deleteFirewallRule(opening.project, opening.name),
  ]);
  if (key !== null && results[0].status === 'fulfilled')
    log.info(`The key of this run is out of the metadata of ${key.instance}`);
  if (opening !== null && results[1].status === 'fulfilled')
    log.info(`The opening ${opening.name} is closed`);
  return results.flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : []));
}

async function cleanUpRunner({ host, log, pending, sleep }: Run): Promise<string[]> {
  const point = pending.read('runner');
  if (point === null) return [];
  await restoreRunner(point, host, { log, sleep, now: Date.now });
  log.info(`${point.configFile} is as it was`);
  return [];
}
