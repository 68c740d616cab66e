import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type { Log } from '../../job/log';
import type { SshConnection } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { shellQuote } from '../../values/quote';
import { show } from '../../values/show';
import { nameOfRun } from './apply';
import { DISK_SCRIPT } from './assets';
import { requireShell, shellCommand } from './remote-shell';

/** Longer than other runs are waited for. */
const LIMIT_MS = 30 * 60_000;

/**
 * Does some work while no other run changes the instance, and after all that was written there has reached its disks.
 *
 * @throws ActionError `Instance is busy`, what the work throws, and of requireShell and SshConnection.run
 */
export async function whileHeld<T>(
  { connection, log, run }: { connection: SshConnection; log: Log; run: string },
  work: () => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  const stdin = new PassThrough();
  stdin.write(`${DISK_SCRIPT}\nhold ${token} ${shellQuote(nameOfRun(run))}; exit 0\n`);
  let isHeld: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const ended = connection.run(shellCommand(LIMIT_MS), {
    stdin,
    timeoutMs: LIMIT_MS,
    onLine: (line) => {
      if (line === `${token} held`) isHeld();
      if (line.startsWith(`${token} waiting `))
        log.info(`instance: waiting until another run has ended: ${show(line.slice(token.length + 9))}`);
    },
  });
  const early = ended.then((result) => {
    if (!result.stdout.includes(`${token} locked`)) requireShell(result);
    throw busy();
  });
  // Where it ends in time nobody asks how.
  early.catch(() => undefined);
  try {
    await Promise.race([held, early]);
    return await work();
  } finally {
    stdin.end();
    await ended.catch(() => undefined);
  }
}

function busy(): ActionError {
  return new ActionError('Instance is busy', {
    doing: 'waiting for other runs of this action on the same instance',
    happened: 'they did not end within 15 min',
    next: 'Wait for the other runs, or give the jobs a common `concurrency` group',
  });
}
