import { compute, deleteRule, rules } from './compute';
import { action, lab, mutations, type Seen, succeeding } from './lab';
import { expectNothingLeft, openings, type RunnerSnapshot, snapshotRunner, sshKeys } from './left-over';
import { basics, ownLogin } from './machines';

// Google Cloud fails in all its ways: the run waits, says for what, and succeeds; or it says what is wrong and what to
// do. Nothing is left behind in either case.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  inputs = await basics();
  // Converged once: the runs below only make and remove their key and their opening.
  await succeeding(inputs);
  before = await snapshotRunner();
});

afterEach(async () => {
  await lab('fault', 'clear');
  await expectNothingLeft(before);
});

afterAll(() => lab('fault', 'clear'));

const push = () => ({ ...inputs, mode: 'push' });

/** Messages of the error annotations of a run that has to fail. */
async function failing(run: Record<string, string>, flags: readonly string[] = []): Promise<string> {
  const seen = await action(run, flags);
  expect(seen.exitCode).toBe(1);
  const errors = seen.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  return errors.join('\n');
}

/** What a warm push does to Google Cloud, each once: a repetition by mistake would show. */
const ONCE = [
  'DELETE firewalls/registry-1-registry-run-*',
  'POST firewalls',
  'POST instances/registry-1/setMetadata',
  'POST instances/registry-1/setMetadata',
];

/** The mutations that succeeded, each counted once however often it was sent: by its requestId. */
function intents(seen: Seen): string[] {
  const byId = new Map(
    seen.api.map((call) => [/requestId=([^&]+)/.exec(call.path)?.[1] ?? `${Math.random()}`, call]),
  );
  return mutations({ ...seen, api: [...byId.values()] });
}

describe('is waited for', () => {
  test('503: each mutation is sent again, with a line for each wait', async () => {
    await lab('fault', 'api-503', '4');
    const seen = await succeeding(push());
    expect(seen.api.filter(({ status }) => status === 503)).toHaveLength(4);
    expect(intents(seen)).toEqual(ONCE);
    expect(seen.maskedLog).toMatch(
      /Waiting for the Compute API \(setting the metadata entry ssh-keys of instance registry-1\): 503 "backendError"; next try in [0-9.]+ s, for at most 120 s in all/,
    );
  });

  test('a connection that ends after Google acted: nothing is done twice', async () => {
    const rulesBefore = (await rules()).length;
    // Both that the main step makes: its key and its opening.
    await lab('fault', 'api-reset', '2');
    // A health check leaves the runner's daemon alone, so that nothing but these two is left without the post step.
    const seen = await succeeding({ ...inputs, mode: 'health-check' }, ['--no-post']);
    expect(await sshKeys()).toHaveLength(1);
    expect(await openings()).toHaveLength(1);
    expect((await rules()).length).toBe(rulesBefore + 1);
    expect(seen.maskedLog).toMatch(/Waiting for the Compute API \(.*\): no answer ".*"; next try in/);
    await removeByHand();
  });

  test('a connection that ends after Google acted, in the post step as well', async () => {
    await lab('fault', 'api-reset', '4');
    expect(intents(await succeeding(push()))).toEqual(ONCE);
  });

  test('a rate limit that refills', async () => {
    await lab('fault', 'api-rate-limit', '1');
    const seen = await succeeding(push());
    expect(seen.maskedLog).toMatch(
      /403 "rateLimitExceeded"; next try in [0-9.]+ s, for at most 180 s in all/,
    );
  });

  test('somebody else who changes tags and metadata at the same time, seen at once or in the operation', async () => {
    await lab('fault', 'api-conflict', '4');
    const seen = await succeeding(push());
    expect(seen.maskedLog.match(/Somebody else changed the instance at the same time/g)).toHaveLength(4);
  });

  test('an operation that ends in a passing error', async () => {
    await lab('fault', 'operation-error', 'INTERNAL_ERROR', '2');
    const seen = await succeeding(push());
    expect(seen.maskedLog).toMatch(/Waiting for the Compute API \(.*\): 500 "INTERNAL_ERROR"; next try in/);
  });

  test('slow operations, also while the post step removes the key', async () => {
    await lab('fault', 'operation-slow', '7');
    const seen = await succeeding(push());
    expect(seen.maskedLog).toMatch(
      /Waiting for Google Cloud to finish setting the metadata entry ssh-keys of instance registry-1, for at most 300 s/,
    );
    expect(seen.maskedLog).toMatch(/Waiting for Google Cloud to finish .*, for at most 60 s/);
  });

  test('a rule that is in force only later', async () => {
    await lab('fault', 'firewall-lag', '8');
    const seen = await succeeding(push());
    expect(seen.maskedLog).toMatch(/Waiting for [0-9.]+:5000 to answer this runner, .*for at most 90 s/);
  });

  test('a guest agent that takes the key only later', async () => {
    await lab('fault', 'key-lag', '8');
    const seen = await succeeding(push());
    expect(seen.maskedLog).toMatch(/Waiting for [0-9.]+:22 to accept the SSH key: .*for at most 90 s/);
  });
});

describe('is told', () => {
  test('an operation that ends in a final error', async () => {
    await lab('fault', 'operation-error', 'INVALID_USAGE', '1');
    expect(await failing(push())).toMatch(
      /^The Compute API refused the request: setting the metadata entry ssh-keys .*The operation failed with INVALID_USAGE/,
    );
  });

  test('a quota that an operation finds reached', async () => {
    await lab('fault', 'operation-error', 'QUOTA_EXCEEDED', '1');
    expect(await failing(push())).toMatch(/^Google Cloud quota reached: .*Quota 'FIREWALLS' exceeded/);
  });

  test('no room for another rule', async () => {
    await lab('fault', 'rules-quota');
    expect(await failing(push())).toMatch(
      /^Google Cloud quota reached: adding firewall rule registry-1-registry-run-.*Quota 'FIREWALLS' exceeded.*Delete what is no longer needed/,
    );
  });

  test('no room in the metadata; everybody else’s entries stay', async () => {
    await lab('fault', 'metadata-full');
    expect(await failing(push())).toMatch(
      /^Instance metadata is full: .*all entries together would be 5\d{5} bytes long.*Remove entries/,
    );
    const { metadata } = await compute<{ metadata: { items: { key: string; value: string }[] } }>(
      'GET',
      'zones/europe-west1-b/instances/registry-1',
    );
    expect(metadata.items.filter(({ key }) => key.startsWith('lab-filler-')).length).toBeGreaterThan(1);
  });

  test('no room for another tag, before anything is changed; a tag that is there already serves', async () => {
    await lab('fault', 'tags-full');
    const other = { ...inputs, mode: 'bootstrap', 'target-tag': 'one-too-many' };
    expect(await failing(other)).toMatch(
      /^The instance has too many network tags: adding the network tag "one-too-many" .*64.*Remove a tag.*target-tag/,
    );
    await succeeding({ ...other, 'target-tag': 'lab-filler-0' });
  });

  test('no published host keys: no connection, and how to get one', async () => {
    await lab('fault', 'no-guest-attributes');
    expect(await failing(push())).toMatch(/^Unknown host key: .*SHA256:.*set ssh-host-key/);
  });

  test('OS Login of the instance, before a key is put there', async () => {
    await lab('fault', 'oslogin');
    const seen = await action(push());
    expect(seen.annotations.map(({ message }) => message).join()).toMatch(
      /^OS Login is enabled: .*enable-oslogin=FALSE/,
    );
    expect(mutations(seen)).toEqual([]);
  });
});

test('a run with a key of the user’s own sweeps the expired key of a dead run, and no other', async () => {
  const own = await ownLogin();
  const line = (user: string, expireOn: string, type = 'ssh-ed25519') =>
    `${user}:${type} AAAAC3NzaC1lZDI1NTE5AAAAIJjTWrT+KnJgK0q8Jq7pQ8Qb7TtQw5w0Zx0m1m3mJm1m google-ssh {"userName":"${user}","expireOn":"${expireOn}"}`;
  const [past, future] = ['2020-01-01T00:00:00+0000', '2099-01-01T00:00:00+0000'];
  const kept = [line('deployer', future), line('somebody', past), 'deployer:ssh-ed25519 AAAA permanent'];
  for (const mode of ['bootstrap', 'health-check']) {
    await setSshKeys([line('deployer', past), ...kept]);
    await succeeding({ ...inputs, ...own, mode });
    expect(await sshKeys()).toEqual(kept);
  }
  await setSshKeys([]);
});

async function setSshKeys(lines: readonly string[]): Promise<void> {
  const vm = 'zones/europe-west1-b/instances/registry-1';
  const { metadata } = await compute<{
    metadata: { fingerprint: string; items: { key: string; value: string }[] };
  }>('GET', vm);
  const others = metadata.items.filter(({ key }) => key !== 'ssh-keys');
  const items = lines.length === 0 ? others : [...others, { key: 'ssh-keys', value: lines.join('\n') }];
  const { name } = await compute<{ name: string }>('POST', `${vm}/setMetadata`, { ...metadata, items });
  await compute('POST', `zones/europe-west1-b/operations/${name}/wait`);
}

/** For runs without a post step. */
async function removeByHand(): Promise<void> {
  await setSshKeys([]);
  for (const name of await openings()) await deleteRule(name);
}
