import { action, control, lab, mutations, output, type Seen, succeeding, waitFor } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';

// A pasted configuration cannot send a token to anybody but Google, nor read a file, nor run a program.

jest.setTimeout(300_000);

type Json = Record<string, unknown>;

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  const all = await basics();
  await succeeding({ ...all, mode: 'bootstrap' });
  inputs = { ...all, mode: 'push' };
  before = await snapshotRunner();
  await listen();
});

afterEach(() => expectNothingLeft(before));

afterAll(async () => {
  await lab('fault', 'clear');
  await output('runner', 'kill "$(cat /tmp/thief.pid)" || true; rm -f /tmp/thief.* /home/runner/secret');
});

/** Somebody else's server, on the runner itself; what connects to it is in /tmp/thief.log. */
async function listen(): Promise<void> {
  await output(
    'runner',
    `echo secret-of-the-runner >/home/runner/secret; chown runner /home/runner/secret
     node -e 'require("net").createServer((socket) => {
       require("fs").appendFileSync("/tmp/thief.log", "connection\\n"); socket.end();
     }).listen(8443, "127.0.0.1")' </dev/null >/dev/null 2>&1 &
     echo $! >/tmp/thief.pid; : >/tmp/thief.log; chmod 666 /tmp/thief.log`,
  );
  await waitFor('runner', 'echo >/dev/tcp/127.0.0.1/8443');
  await waitFor('runner', '[ -s /tmp/thief.log ]');
  await output('runner', ': >/tmp/thief.log');
}

/** Every request that reached the lab under any name, with what it was sent to. */
interface Request {
  readonly n: number;
  readonly service: string;
  readonly authorized?: true;
}

async function lastRequest(): Promise<number> {
  return (await control<Request[]>('GET', '/log?service=all')).at(-1)?.n ?? 0;
}

const requestsSince = (n: number) => control<Request[]>('GET', `/log?service=all&after=${n}`);

const FOREIGN = 'https://127.0.0.1:8443/v1/token';
const GITHUB = 'credential_source';

test.each<[string, Json]>([
  ['a token endpoint that is not Google’s', { token_url: FOREIGN }],
  [
    'an endpoint that only looks like Google’s',
    { service_account_impersonation_url: 'https://iamcredentials.googleapis.com.example.com/v1/x' },
  ],
  ['an endpoint in somebody’s bucket', { token_url: 'https://bucket.storage.googleapis.com/v1/token' }],
  ['an endpoint without encryption', { token_url: 'http://sts.googleapis.com/v1/token' }],
  ['a subject token that comes from elsewhere', { [GITHUB]: { url: FOREIGN, headers: {} } }],
  ['a file outside the workspace', { [GITHUB]: { file: '/home/runner/secret', format: { type: 'text' } } }],
  ['a program', { [GITHUB]: { executable: { command: 'touch /tmp/thief.ran', timeout_millis: 5000 } } }],
  ['another cloud', { universe_domain: 'example.com' }],
])('%s is refused before any request', async (_what, changes) => {
  const { json } = await control<{ json: Json }>('POST', '/credentials', { kind: 'external-account' });
  const after = await lastRequest();
  const seen = await action({ ...inputs, 'credentials-json': JSON.stringify({ ...json, ...changes }) }, [
    // As an earlier step could have set it, which lets google-auth-library run programs.
    ...['--env', 'GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1'],
  ]);
  expect(seen.exitCode).toBe(1);
  expect(errorsOf(seen)).toMatch(/^Credentials that are not safe to use: /);
  expect(await requestsSince(after)).toEqual([]);
  expect(await output('runner', 'cat /tmp/thief.log; [ ! -e /tmp/thief.ran ]')).toBe('');
  expect(seen.maskedLog).not.toContain('secret-of-the-runner');
});

test('tokens go to Google alone, in federation, with a key, and with a ready token', async () => {
  const { json } = await control<{ json: Json }>('POST', '/credentials', { kind: 'service-account' });
  const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', {});
  const ways = [
    {},
    { 'credentials-json': JSON.stringify(json) },
    { 'access-token': accessToken, 'project-id': 'lab-project' },
  ];
  for (const way of ways) {
    const after = await lastRequest();
    await succeeding({ ...inputs, ...way });
    const requests = await requestsSince(after);
    const authorized = new Set(requests.filter((each) => each.authorized).map(({ service }) => service));
    expect([...authorized].filter((service) => !TOKENS.has(service))).toEqual([]);
    expect(requests.filter(({ service }) => service.startsWith('unknown'))).toEqual([]);
  }
});

/** Google's, GitHub's for its own request token, and the Docker daemon's Docker Hub for Docker Hub's. */
const TOKENS = new Set(['compute', 'iamcredentials', 'github-oidc', 'hub']);

test('a key for another project: the error names the project and the input', async () => {
  const { json } = await control<{ json: Json }>('POST', '/credentials', { kind: 'service-account' });
  const other = { ...json, project_id: 'other-project' };
  const seen = await action({ ...inputs, 'credentials-json': JSON.stringify(other) });
  expect(seen.exitCode).toBe(1);
  expect(errorsOf(seen)).toMatch(/^Not found in Google Cloud: .*project-id \(now "other-project"\)/);
  expect(mutations(seen)).toEqual([]);
});

test('a key of a service account that may do nothing here: the error names permission and project', async () => {
  const { json } = await control<{ json: Json }>('POST', '/credentials', {
    kind: 'service-account',
    permissions: [],
  });
  const seen = await action({
    ...inputs,
    'credentials-json': JSON.stringify(json),
    'project-id': 'lab-project',
  });
  expect(seen.exitCode).toBe(1);
  expect(errorsOf(seen)).toMatch(
    /^A permission is missing in Google Cloud: .*compute\.instances\.get in project lab-project/,
  );
  expect(mutations(seen)).toEqual([]);
});

function errorsOf({ annotations }: Seen): string {
  return annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');
}
