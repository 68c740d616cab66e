import type { SshConnection } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';

/** Takes no privileges. Single quotes mean the same to every login shell; a start-up file may print before it. */
const COMMAND = "sh -c 'echo gce-registry-client $SSH_CONNECTION'";

/**
 * This runner's address, as the instance sees it.
 *
 * @throws ActionError `No facts`, and those of SshConnection.run
 */
export async function readClientAddress(connection: SshConnection): Promise<string> {
  const { stdout, stderr } = await connection.run(COMMAND, { stdin: '', timeoutMs: 30_000 });
  const address = /^gce-registry-client (\S+)/m.exec(stdout)?.[1];
  if (address !== undefined) return address;
  throw new ActionError('No facts', {
    doing: 'asking the instance for the address of this runner',
    happened: `it printed none: ${excerpt(`${stdout} ${stderr}`)}`,
    next: 'Check the login shell of ssh-user on the instance (`getent passwd`), and what its start-up files print',
  });
}
