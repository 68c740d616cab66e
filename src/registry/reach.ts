import { connect } from 'node:net';
import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';

/** Google may say that a firewall rule is there before it is in force everywhere: mostly seconds, at times a minute. */
const LIMIT_MS = 90_000;
const TRY_MS = 3_000;

/**
 * Waits until the port answers, and says so, for as long as a firewall drops what is sent to it. A refusal is an
 * answer: what is wrong then, and the end of the waiting, are for the calls that follow.
 */
export async function waitUntilAnswered(host: string, port: number, log: Log, sleep: Sleep): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  for (let tries = 1; !(await answers(host, port)); tries++) {
    if (Date.now() + TRY_MS > end) return;
    if (tries === 1) {
      log.info(
        `Waiting for ${host}:${port} to answer this runner, as a new firewall rule takes a while to be in force: ` +
          `for at most ${LIMIT_MS / 1000} s`,
      );
    }
    await sleep(500);
  }
}

/** False only where nothing came back in time. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port });
    const settle = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(TRY_MS, () => settle(false));
    socket.on('connect', () => settle(true));
    socket.on('error', (error: NodeJS.ErrnoException) => settle(!SILENCE.has(error.code ?? '')));
  });
}

const SILENCE = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);
