import type { Compute } from '../google/compute';
import { removeSshKey } from '../ssh/keypair';
import type { Undoing } from './clean-up';
import type { PendingKey, PendingOpening } from './pending';

/**
 * A main step that was cancelled in the middle of a change left it to Google Cloud, where it can still take effect:
 * an operation takes 5 s as a rule. So long it is looked for.
 */
const LATE_MS = 20_000;
const PAUSE_MS = 1000;

/** Takes the key of this run out of the instance's metadata. */
export async function removeKey(
  key: PendingKey,
  compute: Compute,
  run: Pick<Undoing, 'log' | 'sleep'>,
): Promise<void> {
  await undo(`The key of this run in the metadata of ${key.instance}`, key.settled, run, async () => {
    let found = false;
    // Read anew: what is known from the last look may be older than the key.
    await compute.getInstance();
    await compute.editMetadata('ssh-keys', (value) => {
      found ||= (value ?? '').split('\n').includes(key.entry);
      return removeSshKey(value, key.entry, new Date());
    });
    return found;
  });
  run.log.info(`The key of this run is out of the metadata of ${key.instance}`);
}

/** Deletes the opening of this run. */
export async function closeOpening(
  opening: PendingOpening,
  compute: Compute,
  run: Pick<Undoing, 'log' | 'sleep'>,
): Promise<void> {
  const { project, name } = opening;
  await undo(`The opening ${name}`, opening.settled, run, () => compute.deleteFirewallRule(project, name));
  run.log.info(`The opening ${name} is closed`);
}

/** Removes something that is there, and waits a while for something that may yet appear. */
async function undo(
  what: string,
  settled: boolean,
  { log, sleep }: Pick<Undoing, 'log' | 'sleep'>,
  remove: () => Promise<boolean>,
): Promise<void> {
  if ((await remove()) || settled) return;
  log.info(`${what} was being made when the run was cancelled: looking for it for up to ${LATE_MS / 1000} s`);
  for (let waited = 0; waited < LATE_MS; waited += PAUSE_MS) {
    await sleep(PAUSE_MS);
    if (await remove()) return;
  }
}
