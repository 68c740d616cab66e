import { connect, isIP } from 'node:net';
import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { ActionError } from '../values/errors';
import { type Endpoint, socketHost } from './endpoint';
import { NOT_REACHABLE } from './http';

/** Google may say that a firewall rule is there before it is in force everywhere: mostly seconds, at times a minute. */
const LIMIT_MS = 90_000;
const TRY_MS = 3_000;

/**
 * Waits until the port answers, and says so, for as long as a firewall drops what is sent to it. A refusal is an
 * answer: what is wrong then is for the calls that follow.
 *
 * @throws ActionError `Registry not reachable`
 */
export async function waitUntilAnswered(
  { host, port }: Pick<Endpoint, 'host' | 'port'>,
  log: Log,
  sleep: Sleep,
  {
    limitMs = LIMIT_MS,
    probe = answers,
  }: { readonly limitMs?: number; readonly probe?: typeof answers } = {},
): Promise<void> {
  const end = Date.now() + limitMs;
  for (let tries = 1; !(await probe(host, port)); tries++) {
    if (Date.now() + TRY_MS > end) throw silent(host, port, limitMs);
    if (tries === 1) {
      log.info(
        `Waiting for ${host}:${port} to answer this runner, as a new firewall rule takes a while to be in force: ` +
          `for at most ${limitMs / 1000} s`,
      );
    }
    await sleep(500);
  }
}

function silent(host: string, port: number, limitMs: number): ActionError {
  const address = isIP(socketHost({ host })) === 0 ? 'that the name leads to the instance, ' : '';
  return new ActionError(
    'Registry not reachable',
    {
      doing: `connecting to the registry ${host}:${port} from this runner`,
      happened: `nothing answered within ${limitMs / 1000} s`,
      next: `Check ${address}that \`registry-host\` and \`registry-port\` are right, that \`source-ranges\` admits this runner, and that no firewall on the instance itself drops the packets`,
    },
    { code: NOT_REACHABLE },
  );
}

/** False only where nothing came back in time. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: socketHost({ host }), port });
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
