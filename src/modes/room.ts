import type { Facts } from '../instance/facts/facts';
import { readContents } from '../instance/images/list';
import { savingsText } from '../instance/images/savings';
import { lacksRoom, NO_ROOM } from '../instance/plan/disk-space';
import type { SshConnection } from '../ssh/connection';
import { hasCode, messageOf } from '../values/errors';
import type { Run } from './run';

/** What a prune would free, as a clause; empty where there is enough room, or that cannot be read. Changes nothing. */
export async function savingsAt(run: Run, connection: SshConnection, facts: Facts): Promise<string> {
  return lacksRoom(facts) ? read(run, connection) : '';
}

/** Warns where the disk of the registry's data has little room left, before an image is sent there. */
export async function warnOfRoom(
  run: Run,
  connection: SshConnection | null,
  facts: Facts | null,
): Promise<void> {
  if (connection === null || facts === null || run.settings.dryRun) return;
  const savings = await savingsAt(run, connection, facts);
  if (savings !== '') run.log.warning(`The disk of the registry has little room left: ${savings}`);
}

/** Says for a run that failed for want of room what would free some; does nothing for other errors. */
export async function explainRoom(run: Run, connection: SshConnection | null, error: unknown): Promise<void> {
  if (connection === null || !hasCode(error, NO_ROOM)) return;
  const savings = await read(run, connection);
  if (savings !== '') run.log.warning(`What would free room on the disk of the registry: ${savings}`);
}

async function read(run: Run, connection: SshConnection): Promise<string> {
  try {
    const contents = await readContents(connection);
    return savingsText(run.settings.retention, contents, contents.now);
  } catch (error) {
    // Nothing may hang on an advice; where there is no registry yet, no prune frees anything.
    run.log.debug(`What a prune would free is not known: ${messageOf(error)}`);
    return '';
  }
}
