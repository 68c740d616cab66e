import { randomUUID } from 'node:crypto';
import { type ApiError, OperationFailure, readApiError } from './api-error';
import type { OperationMessage } from './clients';
import { type Call, explain } from './failures';
import { finished, type Wait, type Waiting } from './operations';
import { retrying } from './retries';

/** Sends one mutation; Google takes a second one with the same `requestId` for the first. */
export type Send = (requestId: string) => Promise<[{ latestResponse: OperationMessage }, ...unknown[]]>;

/** What the caller can make sense of: missing, exists already, changed in between. */
const FOR_THE_CALLER = [404, 409, 412];

/**
 * Carries out one mutation: sends it, with one requestId however often, and waits for its operation.
 *
 * Returns null after success, and the error where it is a 404, 409 or 412, of the call or of its operation.
 *
 * @throws ActionError for every other failure
 */
export async function change(call: Call, send: Send, wait: Wait, context: Waiting): Promise<ApiError | null> {
  // An operation that ended in a passing error is tried again as a new intent: the same requestId would only give
  // the failed operation again.
  let intents = 0;
  const intent = async () => {
    intents++;
    const requestId = randomUUID();
    const [{ latestResponse }] = await retrying(call.doing, () => send(requestId), context);
    const error = await finished(latestResponse, wait, call, context);
    if (error) throw new OperationFailure(error);
  };
  try {
    await retrying(call.doing, intent, context, (thrown) => thrown instanceof OperationFailure);
    return null;
  } catch (thrown) {
    const error = readApiError(thrown);
    // What failed before may have been done all the same.
    if (error.status === 409 && intents > 1) return null;
    if (FOR_THE_CALLER.includes(error.status ?? 0) && !error.malformed) return error;
    throw explain(thrown, call);
  }
}
