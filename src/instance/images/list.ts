import { randomUUID } from 'node:crypto';
import type { SshConnection } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { LISTING_SCRIPT } from '../remote/assets';
import { requireShell, shellCommand } from '../remote/remote-shell';
import { type Contents, parseContents } from './contents';

/** 100,000 blobs take some seconds, and some 10 MB. */
const TIMEOUT_MS = 10 * 60_000;
const MAX_OUTPUT_BYTES = 300 * 1024 * 1024;

/**
 * Reads what the registry has on its disk, by one remote command; changes nothing.
 *
 * @throws ActionError `No registry on the instance`, `Unexpected listing`, those of requireShell and of SshConnection.run
 */
export async function readContents(connection: SshConnection): Promise<Contents> {
  const marker = randomUUID();
  const result = await connection.run(shellCommand(TIMEOUT_MS), {
    stdin: `${LISTING_SCRIPT}\nread_images ${marker}; exit 0\n`,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  });
  const start = `${marker} images `;
  const at = result.stdout.indexOf(start);
  if (at >= 0) return parseContents(result.stdout.slice(at + start.length).split('\n', 1)[0] ?? '');
  requireShell(result);
  throw new ActionError('No registry on the instance', {
    doing: 'reading what the registry has on its disk',
    happened: 'the instance has no container of the registry',
    next: 'Set the registry up first, with `mode: bootstrap`',
  });
}
