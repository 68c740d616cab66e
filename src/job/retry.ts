import type { Sleep } from './sleep';

/** The pauses between tries: 1, 2, 4, 8 and 16 s, 31 s in all, which outlasts the restart of a daemon. */
export const PAUSES_MS: readonly number[] = [1000, 2000, 4000, 8000, 16000];

/**
 * Calls `work` until it says `done`, the pauses are used up, or the next try would begin later than `limitMs` after the
 * first failure; returns what it said last.
 *
 * `announce` is told before each pause, so that nobody watches a silent log.
 */
export async function retry<T>(
  work: (attempt: number) => Promise<{ readonly done: boolean; readonly value: T }>,
  options: {
    pausesMs: readonly number[];
    limitMs?: number;
    sleep: Sleep;
    announce: (pauseMs: number, value: T) => void;
  },
): Promise<T> {
  let failed = Number.POSITIVE_INFINITY;
  for (let attempt = 1; ; attempt++) {
    const { done, value } = await work(attempt);
    const pause = options.pausesMs[attempt - 1];
    if (done || pause === undefined) return value;
    failed = Math.min(failed, Date.now());
    if (Date.now() + pause - failed > (options.limitMs ?? Number.POSITIVE_INFINITY)) return value;
    options.announce(pause, value);
    await options.sleep(pause);
  }
}
