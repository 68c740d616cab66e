import { setTimeout as sleep } from 'node:timers/promises';
import { compute } from './compute';
import { action, control, environment, lab, mutations, type Seen, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';

// What Google says makes no sense, or is of an instance that no run can use: one clear error, early, and nothing left.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  const all = await basics();
  await succeeding(all);
  inputs = { ...all, mode: 'push' };
  before = await snapshotRunner();
});

afterEach(async () => {
  await lab('fault', 'clear');
  await expectNothingLeft(before);
});

afterAll(() => lab('fault', 'clear'));

/** A run that has to fail, and its error. */
async function failing(run: Record<string, string> = inputs): Promise<Seen & { readonly error: string }> {
  const seen = await action(run);
  expect(seen.exitCode).toBe(1);
  const errors = seen.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  return { ...seen, error: errors.join('\n') };
}

test('HTML in place of JSON: what answered is not Google, and its words do nothing to the log', async () => {
  await lab('fault', 'api-html', '1');
  const { error, maskedLog, annotations } = await failing();
  expect(error).toMatch(
    /^Unexpected answer from the Compute API: reading instance registry-1: .*captive portal/,
  );
  expect(maskedLog).not.toContain('##[error]Accept');
  expect(annotations.filter(({ message }) => message.startsWith('Accept the terms'))).toEqual([]);
});

test('an operation that does not end is waited for, with its limit, and the run goes on when it has ended', async () => {
  await lab('fault', 'operation-endless');
  const running = action(inputs);
  // Longer than the time after which a line says what is waited for.
  await olderThan(7_000);
  await lab('fault', 'clear');
  const seen = await running;
  expect(seen.exitCode).toBe(0);
  expect(seen.maskedLog).toMatch(
    /Waiting for Google Cloud to finish setting the metadata entry ssh-keys of instance registry-1, for at most 300 s/,
  );
});

/** Returns when an operation on the instance has been RUNNING for that long. */
async function olderThan(ms: number): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(300)) {
    const { items = [] } = await compute<{ items?: { status: string; insertTime: string }[] }>(
      'GET',
      'zones/europe-west1-b/operations',
    );
    const old = items.some(
      ({ status, insertTime }) => status === 'RUNNING' && Date.now() - Date.parse(insertTime) > ms,
    );
    if (old) return;
  }
  throw new Error('no operation has been running for long');
}

test('a list whose page token repeats is given up', async () => {
  await lab('fault', 'page-token-repeats');
  const { error } = await failing({ ...inputs, mode: 'bootstrap' });
  expect(error).toMatch(/^Unexpected answer from the Compute API: listing the firewall rules .*no end/);
});

test.each([
  ['TERMINATED', /Start it \(`gcloud compute instances start registry-1 --zone europe-west1-b`\)/],
  ['STOPPING', /Wait until it has stopped, start it/],
  ['SUSPENDED', /Resume it \(`gcloud compute instances resume registry-1/],
])('an instance that is %s: what to do, and nothing is changed', async (status, remedy) => {
  await control('PATCH', '/instances/registry-1', { status });
  try {
    const { error, ssh, ...seen } = await failing();
    expect(error).toMatch(/^The instance is not running: /);
    expect(error).toContain(status);
    expect(error).toMatch(remedy);
    expect(mutations({ ...seen, ssh })).toEqual([]);
    expect(ssh.connections).toBe(0);
  } finally {
    await control('PATCH', '/instances/registry-1', { status: 'RUNNING' });
  }
});

test('an instance that runs Windows: an error before anything is changed', async () => {
  await lab('fault', 'instance-shape', 'windows');
  const { error, ssh, ...seen } = await failing();
  expect(error).toMatch(/^The instance runs Windows: .*Debian or Ubuntu/);
  expect(mutations({ ...seen, ssh })).toEqual([]);
  expect(ssh.connections).toBe(0);
});

test('an instance with two interfaces is reached at nic0, wherever it stands in the list', async () => {
  await lab('fault', 'instance-shape', 'two-nics');
  const { LAB_INSTANCE_IP } = await environment();
  expect((await succeeding(inputs)).outputs.registry).toBe(`${LAB_INSTANCE_IP}:5000`);
});

test('an instance without an external address is reached from inside its network', async () => {
  await lab('fault', 'instance-shape', 'no-external-address');
  const { LAB_INSTANCE_INTERNAL_IP } = await environment();
  expect((await succeeding(inputs)).outputs.registry).toBe(`${LAB_INSTANCE_INTERNAL_IP}:5000`);
});
