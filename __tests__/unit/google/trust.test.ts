import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { GoogleContext } from '../../../src/google/context';
import { requireTrusted } from '../../../src/google/trust';

const directory = mkdtempSync(join(tmpdir(), 'trust-'));
const workspace = join(directory, 'workspace');
mkdirSync(workspace);
writeFileSync(join(workspace, 'token'), 'x');
writeFileSync(join(directory, 'secret'), 'x');
symlinkSync(join(directory, 'secret'), join(workspace, 'link'));
afterAll(() => rmSync(directory, { recursive: true }));

const CONTEXT: GoogleContext = {
  credentialsFile: null,
  project: null,
  universeDomain: 'googleapis.com',
  trustedDirectories: [workspace],
  tokenHost: null,
};

const GITHUB = {
  url: 'https://run-actions-1-azure.actions.githubusercontent.com/x/idtoken?audience=a',
  headers: {},
};

/** As google-github-actions/auth writes it. */
function external(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/g',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    service_account_impersonation_url:
      'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p.iam.gserviceaccount.com:generateAccessToken',
    credential_source: GITHUB,
    ...changes,
  };
}

test.each<[string, Record<string, unknown>, Partial<GoogleContext>]>([
  ['what google-github-actions/auth writes', {}, {}],
  ['a regional endpoint', { token_url: 'https://sts.europe-west1.rep.googleapis.com/v1/token' }, {}],
  ['an endpoint of a private network', { token_url: 'https://sts-mine.p.googleapis.com/v1/token' }, {}],
  ['a file of the workspace', { credential_source: { file: join(workspace, 'token') } }, {}],
  [
    'GitHub Enterprise',
    { credential_source: { url: 'https://ghe.example.com/x' } },
    { tokenHost: 'ghe.example.com' },
  ],
  [
    'a universe that the job names',
    { universe_domain: 'apis.example', token_url: 'https://sts.apis.example/v1/token' },
    { universeDomain: 'apis.example' },
  ],
])('accepted: %s', (_name, changes, context) => {
  expect(() => requireTrusted(external(changes), { ...CONTEXT, ...context })).not.toThrow();
});

const hosts = [
  'https://sts.googleapis.com.example.com/v1/token',
  'https://googleapis.com.evil.example/token',
  'https://evilgoogleapis.com/token',
  'https://sts.googleapis.com@evil.example/token',
  'https://bucket.storage.googleapis.com/token',
  'https://sts.storage.googleapis.com/token',
  'https://sts.googleapis.com:8443/token',
  'http://sts.googleapis.com/token',
  'file:///etc/passwd',
  'https://evil.example/?sts.googleapis.com',
  'https://evil.example#.googleapis.com',
  '//sts.googleapis.com/token',
  'not a URL',
  7,
  { toString: 'x' },
];

test.each(
  ['token_url', 'token_info_url', 'service_account_impersonation_url', 'cloud_resource_manager_url'].flatMap(
    (field) => hosts.map((host) => [field, host] as const),
  ),
)('refused: %s %j', (field, host) => {
  expect(() => requireTrusted(external({ [field]: host }), CONTEXT)).toThrow(
    expect.objectContaining({ title: 'Credentials that are not safe to use' }),
  );
});

test.each<[string, unknown]>([
  ['an executable', { executable: { command: '/bin/sh' } }],
  ['AWS', { environment_id: 'aws1', url: 'http://169.254.169.254/' }],
  ['a certificate', { certificate: {} }],
  ['a file elsewhere', { file: '/etc/passwd' }],
  ['a path that leads out', { file: join(workspace, '../secret') }],
  ['a link that leads out', { file: join(workspace, 'link') }],
  ['a file that is not there', { file: join(workspace, 'absent') }],
  ['the directory itself', { file: workspace }],
  ['another host', { url: 'https://evil.example/token' }],
  ['a host that looks like GitHub', { url: 'https://actions.githubusercontent.com.evil.example/' }],
  ['GitHub without TLS', { url: 'http://x.actions.githubusercontent.com/' }],
  ['nothing', undefined],
  ['text', 'https://x.actions.githubusercontent.com/'],
  ['a list', []],
])('refused source: %s', (_name, source) => {
  expect(() => requireTrusted(external({ credential_source: source }), CONTEXT)).toThrow(
    expect.objectContaining({ title: 'Credentials that are not safe to use' }),
  );
});

test('a universe that only the credentials name is refused, for keys too', () => {
  const key = { type: 'service_account', universe_domain: 'evil.example' };
  expect(() => requireTrusted(key, CONTEXT)).toThrow('GOOGLE_CLOUD_UNIVERSE_DOMAIN');
});

test('whatever the token URL is, it is refused or its host belongs to Google', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.string()), (url) => {
      try {
        requireTrusted(external({ token_url: url }), CONTEXT);
      } catch (error) {
        expect(error).toMatchObject({ title: 'Credentials that are not safe to use' });
        return;
      }
      expect(new URL(url).hostname).toMatch(/\.googleapis\.com$/);
    }),
  );
});
