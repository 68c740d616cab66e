import { ActionError } from '../errors';
import type { ApiError } from './api-error';
import type { OperationMessage } from './clients';
import { type Call, unexpectedAnswer } from './failures';
import type { Retrying } from './retries';

/** Longest that an operation may take. Google's take seconds; a rule in a large network a minute. */
export const OPERATION_LIMIT_MS = 300_000;

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
  wait: (name: string) => Promise<OperationMessage>,
  call: Call,
  { log, clock }: Retrying,
): Promise<ApiError | null> {
  const start = clock.now();
  const quiet = clock.after(QUIET_MS, () =>
    log.info(`Waiting for Google Cloud to finish ${call.doing}, for at most ${OPERATION_LIMIT_MS / 1000} s`),
  );
  try {
    let current = operation;
    for (let round = 0; current.status !== 'DONE'; round++) {
      if (!current.name) throw unexpectedAnswer(call.doing, 'the answer holds no operation');
      const asked = clock.now();
      if (asked - start > OPERATION_LIMIT_MS) throw unfinished(call, asked - start);
      current = await wait(current.name);
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
