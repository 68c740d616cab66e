import { readFileSync } from 'node:fs';
import type { Log } from '../job/log';
import type { CredentialsSettings } from '../settings/types';
import { ActionError, messageOf } from '../values/errors';
import { show } from '../values/show';
import { type AuthClient, keyClient, maskSecrets, poolClient, tokenClient, userClient } from './auth-clients';
import { explainAuth } from './auth-failures';
import type { GoogleContext } from './context';
import { type CredentialJson, record, requireTrusted } from './trust';

/** Ready to call Google. */
export interface Authentication {
  /** For the Compute clients. */
  readonly authClient: AuthClient;
  /** Project that the credentials or the job name; null when neither does. */
  readonly projectId: string | null;
  readonly universeDomain: string;
  /** E-mail address of the service account; null when the credentials do not say. */
  readonly principal: string | null;
  /** `service account registry@p.iam.gserviceaccount.com`, for the log. */
  readonly describe: string;
}

/**
 * Makes the client for the given credentials, without a call. All secrets and tokens are masked from then on, later
 * ones too.
 *
 * @throws ActionError `No Google credentials`, `Google credentials that cannot be read`, `Credentials that are not
 * safe to use`
 */
export function prepareCredentials(
  credentials: CredentialsSettings,
  context: GoogleContext,
  log: Log,
): Authentication {
  if (credentials.kind === 'access-token') return fromToken(credentials.token, context, log);
  const json = credentials.kind === 'json' ? credentials.json : readFile(context.credentialsFile);
  maskSecrets(json, log);
  requireTrusted(json, context);
  return prepare(json, context, log);
}

/**
 * Fetches the first token, so that wrong credentials fail here.
 *
 * @throws ActionError `Google refused the credentials`, `Google's token endpoint cannot be reached`
 */
export async function fetchToken({ authClient, describe }: Authentication): Promise<void> {
  try {
    await within(TOKEN_LIMIT_MS, authClient.getAccessToken());
  } catch (error) {
    throw explainAuth(error, describe);
  }
}

/** google-auth-library repeats what fails, and sets no limit to how long an answer may take. */
const TOKEN_LIMIT_MS = 60_000;

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function fromToken(token: string, { project, universeDomain }: GoogleContext, log: Log): Authentication {
  log.mask(token);
  return {
    authClient: tokenClient(token, universeDomain),
    projectId: project,
    universeDomain,
    principal: null,
    describe: 'an access token',
  };
}

function prepare(json: CredentialJson, context: GoogleContext, log: Log): Authentication {
  const universeDomain = textOf(json.universe_domain) ?? 'googleapis.com';
  const common = { universeDomain, projectId: textOf(json.project_id) ?? context.project };
  switch (json.type) {
    case 'service_account': {
      requireFields(json, ['client_email', 'private_key']);
      const principal = textOf(json.client_email);
      return { ...common, authClient: keyClient(json, log), principal, describe: `the key of ${principal}` };
    }
    case 'external_account': {
      requireFields(json, ['audience', 'subject_token_type', 'token_url', 'credential_source']);
      const principal = impersonated(json);
      return {
        ...common,
        projectId: common.projectId ?? projectOf(principal),
        authClient: poolClient(json, log),
        principal,
        describe: `workload identity federation${principal ? ` as ${principal}` : ''}`,
      };
    }
    case 'authorized_user':
      requireFields(json, ['client_id', 'client_secret', 'refresh_token']);
      return {
        ...common,
        projectId: common.projectId ?? textOf(json.quota_project_id),
        authClient: userClient(json, log),
        principal: null,
        describe: 'the credentials of a user',
      };
    default:
      throw unreadable(`its type is ${show(String(json.type))}`);
  }
}

/** Application Default Credentials, as google-github-actions/auth leaves them. */
function readFile(path: string | null): CredentialJson {
  if (path === null) {
    throw new ActionError('No Google credentials', {
      doing: 'looking for Google credentials',
      happened: 'neither credentials-json nor access-token is set, and GOOGLE_APPLICATION_CREDENTIALS is not',
      next:
        'Put the step `- uses: google-github-actions/auth@v3` with `workload_identity_provider` and ' +
        '`service_account` before this one, and give the job `permissions: id-token: write`',
    });
  }
  try {
    const json = record(JSON.parse(readFileSync(path, 'utf8')));
    if (json) return json;
  } catch (error) {
    // The message of JSON.parse quotes the text, which can be a secret.
    throw unreadable(
      `the file ${show(path)} ${error instanceof SyntaxError ? 'is not JSON' : `cannot be read: ${messageOf(error)}`}`,
    );
  }
  throw unreadable(`the file ${show(path)} holds no JSON object`);
}

function requireFields(json: CredentialJson, fields: readonly string[]): void {
  const missing = fields.filter((field) => !json[field]);
  if (missing.length > 0) throw unreadable(`it lacks ${missing.join(', ')}`);
}

function unreadable(happened: string): ActionError {
  return new ActionError('Google credentials that cannot be read', {
    doing: 'reading the Google credentials',
    happened,
    next: 'Use the JSON of a service-account key or of an external account, complete and unchanged',
  });
}

/** …/serviceAccounts/name@project.iam.gserviceaccount.com:generateAccessToken */
function impersonated(json: CredentialJson): string | null {
  const url = textOf(json.service_account_impersonation_url) ?? '';
  return /\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(url)?.[1] ?? null;
}

function projectOf(principal: string | null): string | null {
  return /@([a-z0-9.-]+)\.iam\.gserviceaccount\.com$/.exec(principal ?? '')?.[1] ?? null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
