import { ActionError } from '../values/errors';
import type { ApiError } from './api-error';
import type { OperationMessage } from './clients';
import { type Call, unexpectedAnswer } from './failures';
import { type Retrying, retrying } from './retries';

/** Longest that an operation may take. Google's take seconds; a rule in a large network a minute. */
export const OPERATION_LIMIT_MS = 300_000;

/** The longest that the API takes to answer `wait`, and some more for the way. */
const WAIT_MS = 150_000;

/** Asks once for the operation of that name, blocking for a while on Google's side, but no longer than `timeoutMs`. */
export type Wait = (operation: string, timeoutMs: number) => Promise<[OperationMessage, ...unknown[]]>;

/** How to wait for an operation. */
export interface Waiting extends Retrying {
  readonly operationLimitMs: number;
}

/** An operation that is waited for longer than this is worth a line in the log. */
const QUIET_MS = 5_000;

/**
 * Waits until an operation is DONE, and returns its error; null is success.
 *
 * `wait` asks the API once. The API answers after 2 minutes at the latest, or at once, and in both cases possibly
 * with an operation that is not done:
 * https://cloud.google.com/compute/docs/reference/rest/v1/globalOperations/wait
 *
 * @throws ActionError `A Google Cloud operation did not finish`, or what `wait` throws
 */
export async function finished(
  operation: OperationMessage,
  wait: Wait,
  call: Call,
  context: Waiting,
): Promise<ApiError | null> {
  const { log, clock, operationLimitMs: limit } = context;
  const start = clock.now();
  const left = () => start + limit - clock.now();
  const ask = async (name: string): Promise<OperationMessage> => {
    const once = () => wait(name, Math.max(1_000, Math.min(WAIT_MS, left())));
    try {
      return (await retrying(`waiting for ${call.doing}`, once, context, () => left() > 0))[0];
    } catch (thrown) {
      throw left() > 0 ? thrown : unfinished(call, limit);
    }
  };
  const quiet = clock.after(QUIET_MS, () =>
    log.info(`Waiting for Google Cloud to finish ${call.doing}, for at most ${limit / 1000} s`),
  );
  try {
    let current = operation;
    for (let round = 0; current.status !== 'DONE'; round++) {
      if (!current.name) throw unexpectedAnswer(call.doing, 'the answer holds no operation');
      const asked = clock.now();
      if (left() <= 0) throw unfinished(call, limit);
      current = await ask(current.name);
      const tooSoon = current.status !== 'DONE' && clock.now() - asked < 1_000;
      if (tooSoon) await clock.sleep(Math.min(200 * 2 ** round, 2_000));
    }
    return operationError(current);
  } finally {
    quiet();
  }
}

/** DONE is not success: the client throws nothing for an operation that ended in an error. */
function operationError({ error, httpErrorStatusCode, httpErrorMessage }: OperationMessage): ApiError | null {
  const [first] = error?.errors ?? [];
  if (first === undefined) return null;
  return {
    status: httpErrorStatusCode || STATUS_OF_CODE.get(first.code ?? '') || 400,
    reason: first.code ?? '',
    message: first.message || httpErrorMessage || first.code || 'no message',
    unreachable: false,
    malformed: false,
  };
}

/** Codes of operation errors that the action acts upon, where the operation names no HTTP status. */
const STATUS_OF_CODE = new Map([
  ['CONDITION_NOT_MET', 412],
  ['RESOURCE_ALREADY_EXISTS', 409],
  ['RESOURCE_NOT_FOUND', 404],
  ['PERMISSIONS_ERROR', 403],
  ['RESOURCE_NOT_READY', 503],
  ['RATE_LIMIT_EXCEEDED', 429],
  ['RESOURCE_OPERATION_RATE_EXCEEDED', 429],
  ['QUOTA_EXCEEDED', 403],
  ['INTERNAL_ERROR', 500],
  ['BACKEND_ERROR', 503],
]);

function unfinished({ doing }: Call, ms: number): ActionError {
  return new ActionError('A Google Cloud operation did not finish', {
    doing,
    happened: `it was not done after ${Math.round(ms / 1000)} s`,
    next: 'Look at the operations of the project (gcloud compute operations list), then run again',
  });
}
