import { ApiError } from '../compute/errors.ts';

/** https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-api-errors */
export function unavailable(): ApiError {
  const message = 'The service is currently unavailable.';
  return new ApiError(503, [{ message, domain: 'global', reason: 'backendError' }], {
    canonical: 'UNAVAILABLE',
  });
}

/** The text is that of kubernetes/autoscaler and terraform-provider-google issues about this answer. */
export function rateLimited(): ApiError {
  const message =
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'compute.googleapis.com' for consumer 'project_number:123456789012'.";
  return new ApiError(403, [{ message, domain: 'usageLimits', reason: 'rateLimitExceeded' }], {
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'RATE_LIMIT_EXCEEDED',
        domain: 'googleapis.com',
        metadata: { service: 'compute.googleapis.com' },
      },
    ],
  });
}

/** At once, in the answer to the insert: kyma-project/test-infra issue 677, with both blanks of the original. */
export function rulesQuotaExceeded(limit: number): ApiError {
  const message = `Quota 'FIREWALLS' exceeded.  Limit: ${limit.toFixed(1)} globally.`;
  return new ApiError(403, [{ message, domain: 'usageLimits', reason: 'quotaExceeded' }]);
}

/** A page in place of the API, as a captive portal or a proxy serves it, with the status of a success. */
export const SIGN_IN_PAGE = `<!DOCTYPE html>
<html><head><title>Sign in to the network</title></head>
<body><h1>Sign in</h1><p>##[error]Accept the terms to go on.</p></body></html>
`;

const INTERNAL = "Internal error. Please try again or contact Google Support. (Code: '-3405279824')";
/** HTTP status and text that operations ending with a code have. */
const OPERATION_ERRORS: Readonly<Record<string, readonly [number, string]>> = {
  INTERNAL_ERROR: [500, INTERNAL],
  RESOURCE_NOT_READY: [400, 'The resource is not ready'],
  QUOTA_EXCEEDED: [403, "Quota 'FIREWALLS' exceeded.  Limit: 200.0 globally."],
  RESOURCE_OPERATION_RATE_EXCEEDED: [
    429,
    'Operation rate exceeded for resource. Too frequent operations from the source resource.',
  ],
};

/** What an operation ends with. A code that is not known here is one of Google's many that no retry helps. */
export function operationError(code: string): ApiError {
  const [status, message] = OPERATION_ERRORS[code] ?? [400, `The operation failed with ${code}.`];
  // Reasons are in camelCase, codes of operations in capitals.
  const reason = code.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return new ApiError(status, [{ message, domain: 'global', reason }]);
}
