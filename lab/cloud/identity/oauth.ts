import { json, type Reply, type Request } from '../front/exchange.ts';
import type { Accounts } from './accounts.ts';
import { isTimely, parseJwt } from './jwt.ts';
import { type Principal, TOKEN_SECONDS } from './principals.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT_TYPES = ['urn:ietf:params:oauth:token-type:jwt', 'urn:ietf:params:oauth:token-type:id_token'];

/** oauth2.googleapis.com: https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
export function handleOauth(accounts: Accounts, request: Request): Reply {
  const { pathname } = request.url;
  const form = readForm(request);
  if (request.method !== 'POST') return json(404, { error: 'not_found' });
  if (pathname === '/revoke') {
    accounts.tokens.revoke(form.get('token') ?? request.url.searchParams.get('token') ?? '');
    return json(200, {});
  }
  if (pathname !== '/token') return json(404, { error: 'not_found' });
  switch (form.get('grant_type')) {
    case JWT_BEARER:
      return grantForJwt(accounts, form);
    case 'refresh_token':
      return grantForRefreshToken(accounts, form);
    default:
      return oauthError('unsupported_grant_type', `Invalid grant_type: ${form.get('grant_type')}`);
  }
}

function grantForJwt(accounts: Accounts, form: URLSearchParams): Reply {
  const jwt = parseJwt(form.get('assertion') ?? '');
  if (jwt === null) return oauthError('invalid_grant', 'Invalid JWT: Token must be a valid JWT.');
  const principal = accounts.signer(jwt);
  if (principal === null) {
    const known = accounts.serviceAccount(String(jwt.claims.iss)) !== undefined;
    return oauthError('invalid_grant', known ? 'Invalid JWT Signature.' : 'Invalid grant: account not found');
  }
  if (jwt.claims.aud !== TOKEN_URL) return oauthError('invalid_grant', 'Invalid JWT: Failed audience check.');
  if (!isTimely(jwt)) {
    return oauthError(
      'invalid_grant',
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
    );
  }
  if (!jwt.claims.scope)
    return oauthError('invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
  return grant(accounts, principal);
}

function grantForRefreshToken(accounts: Accounts, form: URLSearchParams): Reply {
  const field = (name: string): string => form.get(name) ?? '';
  const principal = accounts.refresh(field('refresh_token'), field('client_id'), field('client_secret'));
  return principal === null ? oauthError('invalid_grant', 'Bad Request') : grant(accounts, principal);
}

function grant(accounts: Accounts, principal: Principal): Reply {
  const access_token = accounts.tokens.issue(principal);
  return {
    ...json(200, { access_token, expires_in: TOKEN_SECONDS, token_type: 'Bearer' }),
    principal: principal.email,
  };
}

/** sts.googleapis.com: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
export function handleSts(accounts: Accounts, request: Request): Reply {
  if (request.method !== 'POST' || request.url.pathname !== '/v1/token')
    return json(404, { error: 'not_found' });
  const form = readForm(request);
  const field = (name: string): string => form.get(name) ?? '';
  if (field('grant_type') !== TOKEN_EXCHANGE)
    return oauthError('unsupported_grant_type', 'Unsupported grant_type.');
  if (field('requested_token_type') !== ACCESS_TOKEN)
    return oauthError('invalid_request', 'Invalid requested_token_type.');
  if (!JWT_TYPES.includes(field('subject_token_type')))
    return oauthError('invalid_request', 'Invalid subject_token_type.');
  if (field('scope') === '') return oauthError('invalid_scope', 'Missing required field: scope.');
  const principal = accounts.federate(field('audience'), field('subject_token'));
  if (typeof principal === 'string') return oauthError('invalid_grant', principal);
  const access_token = accounts.tokens.issue(principal);
  const body = {
    access_token,
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: TOKEN_SECONDS,
  };
  return { ...json(200, body), principal: principal.email };
}

const GENERATE = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken$/;

/** iamcredentials.googleapis.com: generateAccessToken */
export function handleIamCredentials(accounts: Accounts, request: Request): Reply {
  const email = decodeURIComponent(GENERATE.exec(request.url.pathname)?.[1] ?? '');
  if (request.method !== 'POST' || email === '') return json(404, status(404, 'NOT_FOUND', 'Not found'));
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const caller = accounts.authenticate(token);
  if (caller === null)
    return json(401, status(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'));
  const account = accounts.serviceAccount(email);
  if (account === undefined)
    return json(404, status(404, 'NOT_FOUND', `Not found; Gaia id not found for email ${email}`));
  if (!accounts.mayImpersonate(caller, email)) {
    const message =
      "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
    return json(403, status(403, 'PERMISSION_DENIED', message));
  }
  const seconds = Number(/^(\d+)s$/.exec(String(readJson(request).lifetime ?? '3600s'))?.[1]);
  if (!(seconds > 0 && seconds <= 3600))
    return json(400, status(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.'));
  const accessToken = accounts.tokens.issue(account.principal, seconds);
  const expireTime = new Date(Date.now() + seconds * 1000).toISOString();
  return { ...json(200, { accessToken, expireTime }), principal: caller.email };
}

/** token.actions.githubusercontent.com: the job's OIDC endpoint. */
export function handleGithubOidc(accounts: Accounts, request: Request): Reply {
  if (!request.url.pathname.endsWith('/idtoken')) return json(404, { message: 'Not Found' });
  const requestToken = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const audience = request.url.searchParams.get('audience') ?? 'https://github.com/octo-org';
  const value = accounts.idTokenFor(requestToken, audience);
  return value === null ? json(401, { message: 'Unauthorized' }) : json(200, { count: value.length, value });
}

const status = (code: number, canonical: string, message: string): object => ({
  error: { code, message, status: canonical },
});

function oauthError(error: string, error_description: string): Reply {
  return json(400, { error, error_description });
}

function readForm(request: Request): URLSearchParams {
  const text = request.body.toString('utf8');
  if (!/json/.test(request.headers['content-type'] ?? '')) return new URLSearchParams(text);
  return new URLSearchParams(readJson(request) as Record<string, string>);
}

function readJson(request: Request): Record<string, unknown> {
  try {
    return JSON.parse(request.body.toString('utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}
