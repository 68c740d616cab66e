import { createPrivateKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Reply } from '../front/exchange.ts';
import { Accounts } from '../identity/accounts.ts';
import { signJwt } from '../identity/jwt.ts';
import { handleGithubOidc, handleIamCredentials, handleOauth, handleSts } from '../identity/oauth.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const accounts = new Accounts('p', '123456789012');

function request(url: string, body: string, bearer?: string, method = 'POST') {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
  };
  return { method, url: new URL(url), headers, body: Buffer.from(body), peer: '' };
}

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();
const bodyOf = (reply: Reply): Record<string, string> => JSON.parse(String(reply.body));
const now = (): number => Math.floor(Date.now() / 1000);

describe('a service-account key', () => {
  const key = accounts.makeServiceAccountKey(['compute.firewalls.list']) as Record<string, string>;
  const other = accounts.makeServiceAccountKey(undefined) as Record<string, string>;
  const scope = 'https://www.googleapis.com/auth/cloud-platform';
  const aud = 'https://oauth2.googleapis.com/token';
  const sign = (claims: object, by = key): string =>
    signJwt(
      { iss: key.client_email, scope, aud, iat: now(), exp: now() + 3600, ...claims },
      createPrivateKey(by.private_key ?? ''),
      key.private_key_id ?? '',
    );
  const exchange = (assertion: string): Reply =>
    handleOauth(accounts, request(aud, form({ grant_type: JWT_BEARER, assertion })));

  test('is exchanged for a token with its permissions', () => {
    const token = bodyOf(exchange(sign({}))).access_token ?? '';
    expect(accounts.authenticate(token)).toEqual({
      email: key.client_email,
      permissions: new Set(['compute.firewalls.list']),
    });
  });

  test.each<[string, object, Record<string, string>, RegExp]>([
    ['of another account', {}, other, /Invalid JWT Signature/],
    ['for another audience', { aud: 'https://example.com' }, key, /audience/],
    ['that is too old', { iat: now() - 7200, exp: now() - 3600 }, key, /short-lived/],
    ['that lives too long', { exp: now() + 7200 }, key, /short-lived/],
    ['without a scope', { scope: undefined }, key, /scope/],
    ['of an unknown account', { iss: 'x@p' }, key, /account not found/],
  ])('a JWT %s is refused', (_, claims, by, message) => {
    const reply = exchange(sign(claims, by));
    expect(reply.status).toBe(400);
    expect(bodyOf(reply).error_description).toMatch(message);
  });

  test.each<[string, object, boolean]>([
    [
      'for Compute',
      { sub: key.client_email, aud: 'https://compute.googleapis.com/', scope: undefined },
      true,
    ],
    ['with a scope', { sub: key.client_email, aud: undefined }, true],
    [
      'for another service',
      { sub: key.client_email, aud: 'https://x.googleapis.com/', scope: undefined },
      false,
    ],
    ['for somebody else', { sub: 'x@p' }, false],
  ])('signs its own bearer tokens: %s', (_, claims, accepted) => {
    expect(accounts.authenticate(sign(claims)) !== null).toBe(accepted);
  });
});

describe('an external account', () => {
  const { json, subjectToken } = accounts.makeExternalAccount(['compute.firewalls.get'], {});
  const config = json as {
    audience: string;
    token_url: string;
    service_account_impersonation_url: string;
    credential_source: { url: string; headers: { Authorization: string } };
  };
  const sts = (fields: Record<string, string>): Reply =>
    handleSts(
      accounts,
      request(
        config.token_url,
        form({
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          audience: config.audience,
          scope: 'https://www.googleapis.com/auth/cloud-platform',
          requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
          subject_token: subjectToken,
          ...fields,
        }),
      ),
    );

  test("goes from the job's token over STS to the service account", () => {
    const { url, headers } = config.credential_source;
    const job = bodyOf(handleGithubOidc(accounts, request(url, '', headers.Authorization.slice(7), 'GET')));
    const federated = bodyOf(sts({ subject_token: job.value ?? '' })).access_token ?? '';
    expect(accounts.authenticate(federated)?.permissions).toEqual(new Set());
    const reply = handleIamCredentials(
      accounts,
      request(config.service_account_impersonation_url, '{}', federated),
    );
    const principal = accounts.authenticate(bodyOf(reply).accessToken ?? '');
    expect(principal?.permissions).toEqual(new Set(['compute.firewalls.get']));
  });

  test.each<[string, Record<string, string>, string]>([
    ['of another issuer', { subject_token: 'a.b.c' }, 'invalid_grant'],
    ['for another provider', { audience: '//iam.googleapis.com/projects/1/x' }, 'invalid_grant'],
    ['of another type', { subject_token_type: 'x' }, 'invalid_request'],
    ['without a scope', { scope: '' }, 'invalid_scope'],
  ])('a subject token %s is refused', (_, fields, error) => {
    expect(bodyOf(sts(fields)).error).toBe(error);
  });

  test('another service account may not be impersonated', () => {
    const other = (accounts.makeServiceAccountKey(undefined) as Record<string, string>).client_email ?? '';
    const url = config.service_account_impersonation_url.replace(
      /serviceAccounts\/[^:]+/,
      `serviceAccounts/${other}`,
    );
    const reply = handleIamCredentials(accounts, request(url, '{}', bodyOf(sts({})).access_token));
    expect(reply.status).toBe(403);
  });
});

test('tokens end', () => {
  const token = accounts.makeAccessToken(undefined, 0);
  expect(accounts.authenticate(token)).toBeNull();
});
