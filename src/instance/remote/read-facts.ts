import { randomUUID } from 'node:crypto';
import type { SshConnection } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { shellQuote } from '../../values/quote';
import { excerpt } from '../../values/show';
import { parseFacts, parseUsersLine } from '../facts/facts';
import type { Reading } from './apply';
import { FACTS_SCRIPT } from './assets';
import { requireShell, shellCommand } from './remote-shell';

/** Reading takes a second; a machine that is short of memory or boots takes longer. */
const FACTS_TIMEOUT_MS = 60_000;

/**
 * Reads what an instance says of itself; changes nothing.
 *
 * @param onClient gets this runner's address, as the instance sees it, while the rest is still being read
 * @throws ActionError `No facts`, `Unexpected facts`, those of requireShell and of SshConnection.run
 */
export async function readFacts(
  connection: SshConnection,
  factsArguments: readonly string[],
  onClient: (address: string) => void,
): Promise<Reading> {
  const marker = randomUUID();
  const clientMark = `${marker}:client `;
  const words = factsArguments.map(shellQuote).join(' ');
  const result = await connection.run(shellCommand(FACTS_TIMEOUT_MS), {
    stdin: `${FACTS_SCRIPT}\nfacts ${marker} "$1" ${words}; exit 0\n`,
    timeoutMs: FACTS_TIMEOUT_MS,
    onLine: (line) => {
      if (line.startsWith(clientMark)) onClient(line.slice(clientMark.length));
    },
  });
  const facts = parseFacts(result.stdout, marker);
  if (facts !== null) return { facts, users: parseUsersLine(result.stdout, marker) };
  requireShell(result);
  throw new ActionError('No facts', {
    doing: 'reading the state of the instance',
    happened: `the script printed none: ${excerpt(`${result.stdout} ${result.stderr}`)}`,
    next: 'Check what the login shell of ssh-user prints on the instance, and that bash is the usual one',
  });
}
