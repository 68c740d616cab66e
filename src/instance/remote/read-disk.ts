import { randomUUID } from 'node:crypto';
import type { SshConnection } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { shellQuote } from '../../values/quote';
import { excerpt } from '../../values/show';
import { type DataDisk, dataDisk } from '../facts/data-disk';
import { ShapeError } from '../facts/shape';
import { DISK_SCRIPT } from './assets';
import { requireShell, shellCommand } from './remote-shell';

/** A disk that is gone is waited for, for a while. */
const TIMEOUT_MS = 120_000;

/**
 * Reads on which disk the registry's data is, or is to be; changes nothing.
 *
 * @param dataPath the directory that is asked for; null: none is
 * @throws ActionError `No facts`, those of requireShell and of SshConnection.run
 */
export async function readDataDisk(connection: SshConnection, dataPath: string | null): Promise<DataDisk> {
  const mark = randomUUID();
  const result = await connection.run(shellCommand(TIMEOUT_MS), {
    stdin: `${DISK_SCRIPT}\ndisk_facts_of ${mark} ${shellQuote(dataPath ?? '')}; exit 0\n`,
    timeoutMs: TIMEOUT_MS,
  });
  const line = result.stdout.split('\n').find((each) => each.startsWith(`${mark} `));
  if (line === undefined) requireShell(result);
  try {
    return dataDisk(JSON.parse(line?.slice(mark.length + 1) ?? ''), '');
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof ShapeError)) throw error;
    throw new ActionError(
      'No facts',
      {
        doing: "reading on which disk the registry's data is",
        happened: `what the script printed is not what it should: ${excerpt(`${result.stdout} ${result.stderr}`)}`,
        next: 'Check what the login shell of ssh-user prints on the instance, and that findmnt and stat are the usual ones',
      },
      { cause: error },
    );
  }
}
