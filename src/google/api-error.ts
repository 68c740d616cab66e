/** What an answer of the Compute API, or the lack of one, says about a failed call. */
export interface ApiError {
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Google's reason, such as `conditionNotMet`, `rateLimitExceeded`, `SERVICE_DISABLED`; empty when unknown. */
  readonly reason: string;
  /** Text of the answer. It comes from outside: show it escaped only. */
  readonly message: string;
  /** There was no answer: refused, reset, timed out, no such host. */
  readonly unreachable: boolean;
  /** The answer was no JSON, so it hardly came from the API. */
  readonly malformed: boolean;
}

/** gax puts the body of the answer here, and nowhere else: its own errors have no `errors[].reason`. */
const RAW_PAYLOAD = Symbol.for('google-gax.rawHttpResponsePayload');

/** gRPC's names for no answer: https://grpc.io/docs/guides/status-codes/ */
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

interface GaxError {
  readonly message: string;
  readonly code?: unknown;
  readonly httpStatusCode?: unknown;
  readonly cause?: unknown;
  readonly [RAW_PAYLOAD]?: unknown;
}

interface ErrorBody {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly { readonly reason?: unknown }[];
  readonly details?: readonly { readonly reason?: unknown }[];
}

/** An operation that was accepted, and ended in an error. */
export class OperationFailure extends Error {
  constructor(readonly error: ApiError) {
    super(error.message);
    this.name = 'OperationFailure';
  }
}

/** Reads what a client threw, or the failure of an operation. */
export function readApiError(thrown: unknown): ApiError {
  if (thrown instanceof OperationFailure) return thrown.error;
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as GaxError;
  const status = numberOrNull(error.httpStatusCode);
  const payload = parsed(error[RAW_PAYLOAD]);
  const body = errorBody(payload);
  const malformed = (status !== null && body === null) || rootCause(error) instanceof SyntaxError;
  return {
    unreachable:
      status === null && !malformed && [DEADLINE_EXCEEDED, UNAVAILABLE].includes(Number(error.code)),
    malformed,
    status: status ?? numberOrNull(body?.code),
    reason: text(body?.errors?.[0]?.reason) || text(body?.details?.find((d) => d.reason)?.reason),
    message: text(body?.message) || error.message,
  };
}

/**
 * Whether the same call, with the same requestId, can succeed later; null when it cannot.
 *
 * `rate`: a quota that refills each minute. `outage`: the server or the way to it.
 *
 * https://cloud.google.com/compute/docs/api/best-practices#handling-errors
 */
export function transience(error: ApiError): 'outage' | 'rate' | null {
  if (error.status === null) return error.unreachable ? 'outage' : null;
  if (error.status === 429) return 'rate';
  if (RATE_REASONS.has(error.reason)) return 'rate';
  if (PASSING_REASONS.has(error.reason)) return 'outage';
  return [500, 502, 503, 504].includes(error.status) ? 'outage' : null;
}

const RATE_REASONS = new Set([
  'rateLimitExceeded',
  'userRateLimitExceeded',
  'RATE_LIMIT_EXCEEDED',
  'CONCURRENT_OPERATIONS_QUOTA_EXCEEDED',
  'concurrentOperationsQuotaExceeded',
  'RESOURCE_OPERATION_RATE_EXCEEDED',
  'resourceOperationRateExceeded',
]);

/** Another operation holds the resource for a moment, or Google itself failed, whatever status it gives to that. */
const PASSING_REASONS = new Set([
  'resourceNotReady',
  'RESOURCE_NOT_READY',
  'operationInProgress',
  'INTERNAL_ERROR',
  'BACKEND_ERROR',
]);

export function isMissing({ status, malformed }: ApiError): boolean {
  return status === 404 && !malformed;
}

function errorBody(payload: unknown): ErrorBody | null {
  if (payload === null || typeof payload !== 'object') return null;
  const { error } = payload as { error?: unknown };
  return error !== null && typeof error === 'object' ? (error as ErrorBody) : null;
}

function parsed(payload: unknown): unknown {
  if (typeof payload !== 'string') return payload;
  try {
    return JSON.parse(payload);
  } catch {
    return null;
  }
}

function rootCause(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error && current.cause !== undefined; depth++) {
    current = current.cause;
  }
  return current;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
