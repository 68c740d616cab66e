import type { Log } from '../job/log';
import { show } from '../values/show';
import { readApiError, transience } from './api-error';
import type { Clock } from './clock';

/** How long a call is tried again: an outage is short, a rate quota refills each minute. */
export const OUTAGE_LIMIT_MS = 120_000;
export const RATE_LIMIT_MS = 180_000;

export interface Retrying {
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Makes a call until it succeeds, fails for good, or the limit is over; a line in the log says what is waited for.
 * `call` must be safe to repeat: a read, or a mutation with one requestId.
 *
 * @throws what the last call threw
 */
export async function retrying<T>(
  what: string,
  call: () => Promise<T>,
  context: Retrying,
  mayRetry: (thrown: unknown) => boolean = () => true,
): Promise<T> {
  const start = context.clock.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (thrown) {
      const error = readApiError(thrown);
      const kind = transience(error);
      if (kind === null || !mayRetry(thrown)) throw thrown;
      const limit = kind === 'rate' ? RATE_LIMIT_MS : OUTAGE_LIMIT_MS;
      const delay = backoff(kind, attempt);
      if (context.clock.now() - start + delay > limit) throw thrown;
      const why = `${error.status ?? 'no answer'} ${show(error.reason || error.message)}`;
      context.log.info(
        `Waiting for the Compute API (${what}): ${why}; next try in ${(delay / 1000).toFixed(1)} s, ` +
          `for at most ${limit / 1000} s in all`,
      );
      await context.clock.sleep(delay);
    }
  }
}

/** Doubling delays with jitter, so that runs which failed together do not come back together. Milliseconds. */
function backoff(kind: 'outage' | 'rate', attempt: number, random = Math.random()): number {
  const [first, most] = { outage: [500, 15_000], rate: [4_000, 30_000] }[kind] as [number, number];
  const full = Math.min(most, first * 2 ** attempt);
  return Math.round(full / 2 + (full / 2) * random);
}

/**
 * The pause after losing against others who change the same thing. Random, so that those who met do not meet again,
 * and shorter after each loss, so that whoever came first is not left behind by those who come later. Milliseconds.
 */
export function turnAway(losses: number, random = Math.random()): number {
  return Math.round(50 + (2_000 / losses) * random);
}
