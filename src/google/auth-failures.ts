import { ActionError, messageOf } from '../values/errors';
import { show } from '../values/show';

/** What a token endpoint said: OAuth's form, or Google's own for the impersonation of a service account. */
interface TokenAnswer {
  readonly error?: string | { readonly message?: string; readonly status?: string };
  readonly error_description?: string;
}

/**
 * An ActionError for a token that could not be had.
 *
 * https://www.rfc-editor.org/rfc/rfc6749#section-5.2, https://cloud.google.com/iam/docs/reference/sts/rest
 */
export function explainAuth(thrown: unknown, credentials: string): ActionError {
  const doing = `getting a token with ${credentials}`;
  const { status, data, from } = answerOf(thrown);
  if (status === null) {
    if (isKeyError(thrown)) {
      return refused(
        doing,
        'the private key cannot be read',
        'Copy the key again, complete and unchanged',
        thrown,
      );
    }
    return new ActionError(
      "Google's token endpoint cannot be reached",
      {
        doing,
        happened: show(messageOf(thrown), 200),
        next: 'Check the network of the runner, and HTTPS_PROXY if it needs a proxy',
      },
      { cause: thrown },
    );
  }
  const code = typeof data?.error === 'string' ? data.error : (data?.error?.status ?? '');
  const text = typeof data?.error === 'object' ? data.error.message : data?.error_description;
  const message = text || messageOf(thrown);
  const happened = `${from} answered ${status} ${show(code ? `${code}: ${message}` : message, 300)}`;
  return refused(doing, happened, remedy(code, message, status), thrown);
}

function remedy(code: string, message: string, status: number): string {
  if (
    /iam\.serviceAccounts\.getAccessToken/.test(message) ||
    (status === 403 && code === 'PERMISSION_DENIED')
  ) {
    return (
      'Grant roles/iam.workloadIdentityUser on the service account to the principal of the workload identity ' +
      'pool, and enable iamcredentials.googleapis.com'
    );
  }
  if (/audience/i.test(message) || code === 'invalid_target') {
    return 'Check the workload identity provider: its full name with the project number, and its allowed audiences';
  }
  if (/attribute condition/i.test(message)) {
    return 'Check the attribute condition of the workload identity provider: it rejected this repository or branch';
  }
  if (code === 'invalid_grant') {
    return (
      'Check that the key exists still, that its service account is enabled, and that the clock of the runner is ' +
      'right; for federation, that the provider trusts this issuer'
    );
  }
  if (status === 404) return 'Check the name of the service account, and that it exists still';
  return 'Check the credentials; a token of GitHub is good for five minutes only';
}

function refused(doing: string, happened: string, next: string, cause: unknown): ActionError {
  return new ActionError('Google refused the credentials', { doing, happened, next }, { cause });
}

function answerOf(thrown: unknown): { status: number | null; data: TokenAnswer | null; from: string } {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 4; error = error.cause, depth++) {
    const { response, config } = error as { response?: Response; config?: { url?: unknown } };
    if (typeof response?.status === 'number') {
      const data = typeof response.data === 'object' ? (response.data as TokenAnswer | null) : null;
      return { status: response.status, data, from: hostOf(config?.url) };
    }
  }
  return { status: null, data: null, from: '' };
}

interface Response {
  readonly status?: unknown;
  readonly data?: unknown;
}

/** Of the three that take part in federation, GitHub, STS and IAM, the one that said no. */
function hostOf(url: unknown): string {
  const text = String(url);
  return URL.canParse(text) ? new URL(text).hostname : 'Google';
}

/** Node's errors for a private key that does not parse begin with these. */
function isKeyError(thrown: unknown): boolean {
  const { code } = thrown as { code?: unknown };
  return typeof code === 'string' && /^ERR_(OSSL|CRYPTO|INVALID_ARG)/.test(code);
}
