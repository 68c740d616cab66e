import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maskSecrets } from '../../../src/google/auth-clients';
import { explainAuth } from '../../../src/google/auth-failures';
import { type GoogleContext, readGoogleContext } from '../../../src/google/context';
import { fetchToken, prepareCredentials } from '../../../src/google/credentials';
import { fakeLog } from './fakes';

const directory = mkdtempSync(join(tmpdir(), 'credentials-'));
afterAll(() => rmSync(directory, { recursive: true }));

const CONTEXT: GoogleContext = readGoogleContext({ GOOGLE_CLOUD_PROJECT: 'from-job' });

function file(name: string, text: string): GoogleContext {
  const path = join(directory, name);
  writeFileSync(path, text);
  return { ...CONTEXT, credentialsFile: path };
}

test('an access token is masked, and used as it is', async () => {
  const log = fakeLog();
  const result = prepareCredentials({ kind: 'access-token', token: 'ya29.token' }, CONTEXT, log);
  await fetchToken(result);
  expect(result).toMatchObject({ projectId: 'from-job', principal: null, universeDomain: 'googleapis.com' });
  expect(log.masked).toEqual(['ya29.token']);
  expect(await result.authClient.getAccessToken()).toMatchObject({ token: 'ya29.token' });
});

test.each<[string, GoogleContext, string]>([
  ['no file', CONTEXT, 'No Google credentials'],
  [
    'a file that is gone',
    { ...CONTEXT, credentialsFile: '/nowhere' },
    'Google credentials that cannot be read',
  ],
  ['no JSON', file('text', 'secret text'), 'Google credentials that cannot be read'],
  ['no object', file('list', '[]'), 'Google credentials that cannot be read'],
  [
    'an unknown type',
    file('type', '{"type":"impersonated_service_account"}'),
    'Google credentials that cannot be read',
  ],
  ['an incomplete key', file('key', '{"type":"service_account"}'), 'Google credentials that cannot be read'],
  [
    'a source that is not safe',
    file('unsafe', '{"type":"external_account","credential_source":{"executable":{}}}'),
    'Credentials that are not safe to use',
  ],
  [
    'a key that does not parse',
    file('pem', '{"type":"service_account","client_email":"a@b","private_key":"not a key"}'),
    'Google refused the credentials',
  ],
])('%s', async (_name, context, title) => {
  const authenticate = async () => fetchToken(prepareCredentials({ kind: 'adc' }, context, fakeLog()));
  const error = await authenticate().catch((thrown) => thrown);
  expect(error).toMatchObject({ title });
  expect(error.message).not.toContain('secret text');
});

test('every secret of a configuration is masked, in each form that it is printed in', () => {
  const log = fakeLog();
  const key = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n';
  maskSecrets(
    {
      private_key: key,
      client_secret: 'client-secret',
      refresh_token: 'refresh-token',
      credential_source: { headers: { Authorization: 'Bearer github-token' } },
    },
    log,
  );
  expect(log.masked).toEqual(
    expect.arrayContaining([
      key,
      JSON.stringify(key).slice(1, -1),
      'MIIEvQIBADANBg',
      'kqhkiG9w0BAQEF',
      'client-secret',
      'refresh-token',
      'Bearer github-token',
      'github-token',
    ]),
  );
  expect(log.masked.every((secret) => secret.length >= 8)).toBe(true);
});

function refused(status: number, data: unknown, url = 'https://sts.googleapis.com/v1/token'): Error {
  return Object.assign(new Error('Request failed'), { response: { status, data }, config: { url } });
}

test.each<[string, unknown, string, string]>([
  [
    'a deleted key',
    refused(400, { error: 'invalid_grant', error_description: 'account not found' }),
    'Google refused the credentials',
    'the clock of the runner',
  ],
  [
    'a wrong audience',
    refused(400, { error: 'invalid_grant', error_description: 'Invalid value for "audience"' }),
    'Google refused the credentials',
    'Check the workload identity provider',
  ],
  [
    'a branch that may not',
    refused(400, { error: 'unauthorized_client', error_description: 'rejected by the attribute condition' }),
    'Google refused the credentials',
    'attribute condition of the workload',
  ],
  [
    'no right to impersonate',
    refused(403, {
      error: { status: 'PERMISSION_DENIED', message: "'iam.serviceAccounts.getAccessToken' denied" },
    }),
    'Google refused the credentials',
    'roles/iam.workloadIdentityUser',
  ],
  [
    'a token of GitHub that is too old',
    refused(401, '', 'https://token.actions.githubusercontent.com/x'),
    'Google refused the credentials',
    'token.actions.githubusercontent.com answered 401',
  ],
  [
    'no network',
    new Error('getaddrinfo ENOTFOUND'),
    "Google's token endpoint cannot be reached",
    'ENOTFOUND',
  ],
])('%s', (_name, thrown, title, text) => {
  const error = explainAuth(thrown, 'the key of a@b');
  expect(error).toMatchObject({ title, cause: thrown });
  expect(error.message).toContain(text);
});
