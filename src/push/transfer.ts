import type { Docker, Transfer } from '../docker/docker';
import { foreignProgress } from '../docker/progress';
import { classifyFailure, reasonOf } from '../docker/push-failure';
import type { Log } from '../job/log';
import { PAUSES_MS, retry } from '../job/retry';
import type { Sleep } from '../job/sleep';

export interface TransferTools {
  readonly docker: Docker;
  readonly log: Log;
  readonly sleep: Sleep;
  /**
   * Called when Docker itself begins to try again, and before a push that failed is tried again: whoever can sees to
   * it that the registry runs. What it throws says why no further try would help.
   */
  readonly mend?: () => Promise<void>;
}

/**
 * After the first failure no push begins later than this. It matters where Docker has tried long by itself: it sends
 * each layer five times, with pauses of 5 to 20 s (moby, distribution/xfer/upload.go).
 */
const GIVE_UP_MS = 3 * 60_000;

/**
 * Pulls or pushes with its progress in a log group; again after a pause while it fails for a transient reason.
 *
 * @throws ActionError what `mend` throws, when the push has failed
 */
export function transfer(verb: 'pull' | 'push', reference: string, tools: TransferTools): Promise<Transfer> {
  const title = `docker ${verb} ${reference}`;
  return retry<Transfer>(
    async (attempt) => {
      if (attempt > 1 && verb === 'push') await tools.mend?.();
      const value = await tools.log.group(title, () => once(verb, reference, tools));
      return { done: value.ok || classifyFailure(value.output) !== 'transient', value };
    },
    {
      pausesMs: PAUSES_MS,
      limitMs: GIVE_UP_MS,
      sleep: tools.sleep,
      announce: (pauseMs, { output }) =>
        tools.log.info(
          `${title} failed (${reasonOf(output)}); again in ${pauseMs / 1000} s, for 3 min at most`,
        ),
    },
  );
}

async function once(verb: 'pull' | 'push', reference: string, tools: TransferTools): Promise<Transfer> {
  const progress = foreignProgress(tools.log);
  const look = verb === 'push' ? firstLook(tools) : null;
  const result = await tools.docker[verb](reference, (line) => {
    progress.line(line);
    look?.onLine(line);
  }).finally(progress.end);
  const found = await look?.end();
  if (!result.ok && found !== undefined) throw found.error;
  return result;
}

/** What Docker prints of a layer that it could not send, while it counts down to its next try. */
const TRIES_AGAIN = /: Retrying in \d+ seconds?\s*$/;

/** Time for Docker on the instance to restart a registry that crashed, before this run looks. */
const FIRST_LOOK_AFTER_MS = 1000;

/** Mends beside Docker's own tries, which go on for 50 s; once, since what comes later is another matter. */
function firstLook({ mend, sleep }: TransferTools) {
  let looking: Promise<{ error: unknown } | undefined> | undefined;
  return {
    onLine(line: string): void {
      if (mend === undefined || !TRIES_AGAIN.test(line)) return;
      looking ??= sleep(FIRST_LOOK_AFTER_MS)
        .then(mend)
        .then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
    },
    /** Waits for the look, if there is one; returns what it threw. */
    end: async () => looking,
  };
}
