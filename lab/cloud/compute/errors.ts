/** One entry of `error.errors` in an answer of the Compute API. */
export interface ErrorEntry {
  readonly message: string;
  readonly domain?: string;
  readonly reason: string;
  readonly location?: string;
  readonly locationType?: string;
}

/**
 * A refusal of the Compute API. Thrown while a request is checked it becomes the HTTP answer; thrown while an
 * operation runs it becomes the error of the operation.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly entries: readonly ErrorEntry[];
  /** `UNAUTHENTICATED`, `INVALID_ARGUMENT`: only where the answer comes from Google's front end. */
  readonly canonical: string | undefined;
  readonly details: readonly unknown[] | undefined;

  constructor(
    status: number,
    entries: readonly ErrorEntry[],
    extra: { message?: string; canonical?: string; details?: readonly unknown[] } = {},
  ) {
    super(extra.message ?? entries[0]?.message ?? '');
    this.status = status;
    this.entries = entries;
    this.canonical = extra.canonical;
    this.details = extra.details;
  }

  get reason(): string {
    return this.entries[0]?.reason ?? 'backendError';
  }

  toJSON(): object {
    return {
      error: {
        code: this.status,
        message: this.message,
        errors: this.entries,
        ...(this.canonical && { status: this.canonical }),
        ...(this.details && { details: this.details }),
      },
    };
  }
}

const refuse = (status: number, reason: string, message: string): ApiError =>
  new ApiError(status, [{ message, domain: 'global', reason }]);

export const notFound = (resource: string): ApiError =>
  refuse(404, 'notFound', `The resource '${resource}' was not found`);

export const alreadyExists = (resource: string): ApiError =>
  refuse(409, 'alreadyExists', `The resource '${resource}' already exists`);

export const notReady = (resource: string): ApiError =>
  refuse(400, 'resourceNotReady', `The resource '${resource}' is not ready`);

/** `kind` is `disk` or `resource_policy`. The words are those of hashicorp/terraform issue 23698. */
export const inUse = (kind: string, resource: string, user: string): ApiError =>
  refuse(
    400,
    'resourceInUseByAnotherResource',
    `The ${kind} resource '${resource}' is already being used by '${user}'`,
  );

export const invalid = (message: string): ApiError => refuse(400, 'invalid', message);

export const invalidField = (field: string, value: string, must: string): ApiError =>
  invalid(`Invalid value for field '${field}': '${value}'. ${must}`);

export const required = (field: string): ApiError =>
  refuse(400, 'required', `Required field '${field}' not specified`);

/** `subject` is `metadata` or `tags`. The text for metadata is the one that terraform-provider-google looks for. */
export function fingerprintMismatch(subject: string): ApiError {
  const message = `Supplied fingerprint does not match current ${subject} fingerprint.`;
  return new ApiError(412, [
    { message, domain: 'global', reason: 'conditionNotMet', location: 'If-Match', locationType: 'header' },
  ]);
}

/** A permission and the resource it is missing on, `projects/P/global/firewalls/F`. */
export interface Needed {
  readonly permission: string;
  readonly resource: string;
}

/** Names each missing permission as Google does. */
export const forbidden = (missing: readonly Needed[]): ApiError =>
  new ApiError(
    403,
    missing.map(({ permission, resource }) => ({
      message: `Required '${permission}' permission for '${resource}'`,
      domain: 'global',
      reason: 'forbidden',
    })),
  );

/** No right to act as the instance's service account (iam.serviceAccounts.actAs). */
export const serviceAccountDenied = (account: string, user: string): ApiError =>
  refuse(
    400,
    'serviceAccountAccessDenied',
    `The user does not have access to service account '${account}'.  User: '${user}'.  Ask a project owner to grant you the iam.serviceAccountUser role on the service account`,
  );

/** The answer of Google's front end to a token that it does not know, or none. */
export function unauthenticated(present: boolean): ApiError {
  const hint =
    'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';
  const message = present
    ? `Request had invalid authentication credentials. ${hint}`
    : `Request is missing required authentication credential. ${hint}`;
  const entry = present
    ? { message: 'Invalid Credentials', domain: 'global', reason: 'authError' }
    : { message: 'Login Required.', domain: 'global', reason: 'required' };
  return new ApiError(401, [{ ...entry, location: 'Authorization', locationType: 'header' }], {
    message,
    canonical: 'UNAUTHENTICATED',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: present ? 'ACCESS_TOKEN_EXPIRED' : 'CREDENTIALS_MISSING',
        domain: 'googleapis.com',
        metadata: { service: 'compute.googleapis.com' },
      },
    ],
  });
}

/** The answer of Google's front end to a request that does not fit the message type. */
export function badPayload(descriptions: readonly string[]): ApiError {
  return new ApiError(
    400,
    descriptions.map((message) => ({ message, reason: 'invalid' })),
    {
      message: descriptions.join('\n'),
      canonical: 'INVALID_ARGUMENT',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations: descriptions.map((description) => ({ description })),
        },
      ],
    },
  );
}
