import type { SshConnection } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';
import { CA_FILE } from '../plan/certificate-plan';

/** Takes no privileges. Single quotes mean the same to every login shell; a start-up file may print before it. */
const COMMAND = `sh -c 'echo gce-registry-client $SSH_CONNECTION; cat ${CA_FILE} 2>/dev/null || true'`;

/** What a run that only pushes has to know of the instance. */
export interface Client {
  /** This runner's address, as the instance sees it. */
  readonly address: string;
  /** PEM of the CA that was made on the instance; null without one. */
  readonly authority: string | null;
}

/**
 * Asks the instance for that.
 *
 * @throws ActionError `No facts`, and those of SshConnection.run
 */
export async function readClient(connection: SshConnection): Promise<Client> {
  const { stdout, stderr } = await connection.run(COMMAND, { stdin: '', timeoutMs: 30_000 });
  const address = /^gce-registry-client (\S+)/m.exec(stdout)?.[1];
  const [authority] = /^-----BEGIN CERTIFICATE-----$[\s\S]+?^-----END CERTIFICATE-----$/m.exec(stdout) ?? [];
  if (address !== undefined) return { address, authority: authority === undefined ? null : `${authority}\n` };
  throw new ActionError('No facts', {
    doing: 'asking the instance for the address of this runner',
    happened: `it printed none: ${excerpt(`${stdout} ${stderr}`)}`,
    next: 'Check the login shell of ssh-user on the instance (`getent passwd`), and what its start-up files print',
  });
}
