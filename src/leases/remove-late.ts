import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';

/**
 * A main step that was cancelled in the middle of a change left it to Google Cloud, where it can still take effect:
 * an operation takes 5 s as a rule. So long it is looked for.
 */
const LATE_MS = 20_000;
const PAUSE_MS = 1000;

export interface LateTools {
  readonly log: Log;
  readonly sleep: Sleep;
}

/**
 * Removes something that is there, and waits a while for something that may yet appear.
 *
 * @param settled whether the call that made it has ended
 * @param remove false where there was nothing to remove
 */
export async function removeLate(
  what: string,
  settled: boolean,
  { log, sleep }: LateTools,
  remove: () => Promise<boolean>,
): Promise<void> {
  if ((await remove()) || settled) return;
  log.info(`${what} was being made when the run was cancelled: looking for it for up to ${LATE_MS / 1000} s`);
  for (let waited = 0; waited < LATE_MS; waited += PAUSE_MS) {
    await sleep(PAUSE_MS);
    if (await remove()) return;
  }
}
