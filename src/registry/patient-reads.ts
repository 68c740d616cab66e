import { retry } from '../job/retry';
import type { Sleep } from '../job/sleep';
import { ActionError, messageOf } from '../values/errors';
import { isTransient, type RegistryAnswer, type RegistryHttp, type RegistryRequest } from './http';

/** How often what changes nothing is asked again, where it failed for a transient reason. */
export interface Patience {
  readonly pausesMs: readonly number[];
  /** No further try begins later than this after the first failure. */
  readonly limitMs: number;
  /** Told before each pause. */
  readonly announce: (pauseMs: number, why: string) => void;
  /** Called before each further try. */
  readonly mend: () => Promise<void>;
}

/** For those who have nobody to tell. */
export const BRIEF: Patience = {
  pausesMs: [500, 2000],
  limitMs: Number.POSITIVE_INFINITY,
  announce: () => undefined,
  mend: async () => undefined,
};

/** How requests are tried again; `sleep` is the clock. */
export interface Retries {
  readonly sleep: Sleep;
  readonly patience: Patience;
}

/**
 * Sends a request that changes nothing, again as long as patience lasts; returns the last answer, whatever its status.
 *
 * @throws ActionError of RegistryHttp.send, where there was no answer in the end
 */
export async function readPatiently(
  connection: RegistryHttp,
  request: RegistryRequest,
  { sleep, patience }: Retries,
  send: (request: RegistryRequest) => Promise<RegistryAnswer> = connection.send,
): Promise<RegistryAnswer> {
  const result = await retry<{ answer: RegistryAnswer } | { error: unknown }>(
    async (attempt) => {
      if (attempt > 1) await patience.mend();
      try {
        const answer = await send(request);
        return { done: ![429, 500, 502, 503, 504].includes(answer.status), value: { answer } };
      } catch (error) {
        return { done: !isTransient(error), value: { error } };
      }
    },
    {
      pausesMs: patience.pausesMs,
      limitMs: patience.limitMs,
      sleep,
      announce: (pauseMs, value) =>
        patience.announce(pauseMs, `${request.method} ${request.path}: ${why(value)}`),
    },
  );
  if ('error' in result) throw result.error;
  return result.answer;
}

function why(failed: { answer: RegistryAnswer } | { error: unknown }): string {
  if ('answer' in failed) return `status ${failed.answer.status}`;
  return failed.error instanceof ActionError ? failed.error.problem.happened : messageOf(failed.error);
}
