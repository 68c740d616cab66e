import { ActionError } from '../values/errors';
import { show } from '../values/show';
import { type ApiError, readApiError, transience } from './api-error';
import { FORBIDDEN, NOT_FOUND } from './compute';
import { OUTAGE_LIMIT_MS, RATE_LIMIT_MS } from './retries';

/** One kind of call: what it does, for messages, and the permission it takes. */
export interface Call {
  /** `reading instance web-1`. */
  readonly doing: string;
  /** Project whose permission it takes: of the network, for a firewall rule. */
  readonly project: string;
  readonly permission: string;
}

/** An ActionError for a failed call, with what to do about it; what is no failed call comes back as it is. */
export function explain(thrown: unknown, call: Call): unknown {
  if (thrown instanceof ActionError) return thrown;
  const error = readApiError(thrown);
  if (error.status === null && !error.unreachable && !error.malformed) return thrown;
  return explainApiError(error, call, thrown);
}

/** The same from the parts of an error, for operations, which fail without throwing. */
export function explainApiError(error: ApiError, call: Call, cause?: unknown): ActionError {
  const { doing } = call;
  const happened = `Google answered ${error.status ?? 'nothing'} ${show(error.message, 300)}`;
  if (error.malformed)
    return unexpectedAnswer(doing, `the answer was not JSON: ${show(error.message)}`, cause);
  if (isQuota(error)) {
    return new ActionError(
      'Google Cloud quota reached',
      {
        doing,
        happened,
        next: 'Delete what is no longer needed (gcloud compute firewall-rules list, for rules; gcloud compute snapshots list), or ask for more under IAM & Admin, Quotas',
      },
      { cause },
    );
  }
  const passing = error.status === null ? null : transience(error);
  if (passing !== null) return stillFailing(passing, doing, happened, cause);
  if (NO_ACT_AS.test(error.message)) return forbidden(error, call, happened, cause);
  switch (error.status) {
    case null:
      return new ActionError(
        'The Compute API cannot be reached',
        {
          doing,
          happened: show(error.message, 200),
          next: 'Check the network of the runner, and HTTPS_PROXY if it needs a proxy',
        },
        { cause },
      );
    case 401:
      return new ActionError(
        'Google did not accept the credentials',
        { doing, happened, next: 'Use a token that is not expired, or a key that was not deleted' },
        { cause },
      );
    case 403:
      return forbidden(error, call, happened, cause);
    case 404:
      return new ActionError(
        'Not found in Google Cloud',
        {
          doing,
          happened,
          next: `Check the inputs project-id (now ${show(call.project)}), zone and instance`,
        },
        { cause, code: NOT_FOUND },
      );
    default:
      return new ActionError(
        'The Compute API refused the request',
        { doing, happened, next: 'Correct what the message names; if it names nothing, run again' },
        { cause },
      );
  }
}

/** For what was tried again until the limit was over. */
function stillFailing(kind: 'outage' | 'rate', doing: string, happened: string, cause: unknown): ActionError {
  return kind === 'rate'
    ? new ActionError(
        'Too many requests to the Compute API',
        {
          doing,
          happened: `${happened}, for ${RATE_LIMIT_MS / 1000} s`,
          next: "Find out what else uses up the project's quota of requests (IAM & Admin, Quotas), then run again",
        },
        { cause },
      )
    : new ActionError(
        'The Compute API is failing',
        {
          doing,
          happened: `${happened}, for ${OUTAGE_LIMIT_MS / 1000} s`,
          next: 'Look at https://status.cloud.google.com, and run again when that is over',
        },
        { cause },
      );
}

/**
 * Changing the metadata of an instance takes the permission to act as its service account. Google's words: "The user does
 * not have access to service account 'A'.  User: 'U'.  Ask a project owner to grant you the iam.serviceAccountUser role
 * on the service account".
 *
 * https://cloud.google.com/iam/docs/service-account-permissions#user-role
 */
const NO_ACT_AS = /does not have access to service account/i;
const ACCOUNT = /service account '([^'\s]+@[a-z0-9.-]+)'/i;
const USER = /User: '([^'\s]+@[a-z0-9.-]+)'/i;

/** For an answer that cannot be right, whatever its status. */
export function unexpectedAnswer(doing: string, happened: string, cause?: unknown): ActionError {
  return new ActionError(
    'Unexpected answer from the Compute API',
    { doing, happened, next: 'Check whether a proxy or a captive portal answers in place of Google' },
    { cause },
  );
}

function forbidden(error: ApiError, call: Call, happened: string, cause: unknown): ActionError {
  const { doing } = call;
  if (['accessNotConfigured', 'SERVICE_DISABLED'].includes(error.reason)) {
    return new ActionError(
      'The Compute Engine API is not enabled',
      {
        doing,
        happened,
        next: `Enable it: gcloud services enable compute.googleapis.com --project=${call.project}`,
      },
      { cause },
    );
  }
  if (NO_ACT_AS.test(error.message)) return mayNotActAs(error.message, doing, cause);
  const { permission, project } = missingPermission(error.message, call);
  return new ActionError(
    'A permission is missing in Google Cloud',
    {
      doing,
      happened: `the credentials lack ${permission} in project ${project}`,
      next: 'Grant the role of docs/security.md to the service account, in the project named here',
    },
    { cause, code: FORBIDDEN },
  );
}

/** The role of docs/security.md lacks this on purpose: it is bound to the one account, not to the project. */
function mayNotActAs(message: string, doing: string, cause: unknown): ActionError {
  const account = ACCOUNT.exec(message)?.[1] ?? 'SERVICE_ACCOUNT_OF_THE_INSTANCE';
  const user = USER.exec(message)?.[1] ?? 'ACCOUNT_OF_THESE_CREDENTIALS';
  const kind = user.endsWith('.gserviceaccount.com') || !user.includes('@') ? 'serviceAccount' : 'user';
  return new ActionError(
    'The credentials may not act as the service account of the instance',
    {
      doing,
      happened: `${user} lacks iam.serviceAccounts.actAs on ${account}, as which the instance runs`,
      next:
        `Bind the role to that one account: \`gcloud iam service-accounts add-iam-policy-binding ${account} ` +
        `--member=${kind}:${user} --role=roles/iam.serviceAccountUser\`; or make the instance without a service account, or give ssh-private-key, which changes no metadata`,
    },
    { cause },
  );
}

/**
 * Google names permission and resource: "Required 'compute.firewalls.create' permission for
 * 'projects/p/global/firewalls/f'".
 */
export function missingPermission(
  message: string,
  call: Pick<Call, 'project' | 'permission'>,
): { permission: string; project: string } {
  const permission = /\b((?:compute|iam|resourcemanager)(?:\.[A-Za-z]+){2})\b/.exec(message)?.[1];
  const project = /projects\/([a-z0-9.:-]+)/.exec(message)?.[1];
  return { permission: permission ?? call.permission, project: project ?? call.project };
}

function isQuota(error: ApiError): boolean {
  return ['quotaExceeded', 'QUOTA_EXCEEDED', 'limitExceeded', 'LIMIT_EXCEEDED'].includes(error.reason);
}
