import { expectSafe } from '../hostile-text';
import { action, lab, output, type Seen, succeeding, waitFor } from './lab';
import { inLanes } from './lanes';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { LIARS, type Liar, prepareLiars } from './liars';
import { basics, ownLogin } from './machines';

// The instance is in the hands of somebody who lies, or is set up strangely. Each run works or ends with one clear
// error, in bounded time and memory, and nothing that the instance says is obeyed.

jest.setTimeout(400_000);

/** A run that reads facts takes about 90 MiB; what a liar says may add a few times the limit of its output. */
const MEMORY_MIB = 220;
/** The limit of reading an instance. */
const READ_SECONDS = 60;
/** More than any run takes that does not wait for that limit, on a busy machine. */
const SECONDS = READ_SECONDS - 5;
const SLOW_SECONDS = READ_SECONDS + SECONDS;

let inputs: Record<string, string>;
let before: RunnerSnapshot;
/** A run as each of the liars: three at a time, beside those that end only by the time limit. */
let runs: Readonly<Record<string, Promise<Seen>>>;

beforeAll(async () => {
  await lab('reset');
  await lab('fault', 'clear');
  inputs = { ...(await basics()), ...(await ownLogin()), 'source-ranges': 'runner' };
  await succeeding({ ...inputs, mode: 'bootstrap', ui: 'none' });
  await prepareLiars();
  before = await snapshotRunner();
  runs = runAll();
  for (const run of Object.values(runs)) run.catch(() => undefined);
});
afterAll(() => lab('fault', 'clear'));

/** Inputs of a run as one of the users of the instance. */
const as = (user: string) => ({ ...inputs, 'ssh-user': user, ui: 'none' });

/** A deploy as each of them, from which each keeps it. */
function runAll(): Record<string, Promise<Seen>> {
  const [slow, quick] = [LIARS.filter(({ waits }) => waits), LIARS.filter(({ waits }) => !waits)];
  const runsOf = (liars: readonly Liar[], lanes: number) => {
    const seen = inLanes(
      liars.map(
        ({ user }) =>
          () =>
            action(as(user)),
      ),
      lanes,
    );
    return liars.map(({ user }, index) => [user, seen[index]]);
  };
  return Object.fromEntries([...runsOf(slow, slow.length), ...runsOf(quick, 3)]);
}

/** What the runner made of the log of a run in which the instance said `owned` wherever it could. */
function expectNothingObeyed({ annotations, outputs, state, maskedLog }: Seen): void {
  const told = annotations.filter(({ message }) => /^\s*owned/.test(message));
  expect(told).toEqual([]);
  expect(Object.values(outputs).join()).not.toMatch(/^owned/m);
  expect(Object.keys(outputs).join()).not.toContain('owned');
  expect(Object.keys(state).filter((name) => !['isPost', 'leases'].includes(name))).toEqual([]);
  // It asked to have this masked.
  expect(maskedLog).not.toContain('r***gistry');
}

/** One error, which can be read, of this title; in bounded time and memory. */
function expectRefusal(seen: Seen, title: string, seconds = SECONDS): void {
  expectNothingObeyed(seen);
  const errors = seen.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  expect(errors.map((message) => message.split(':')[0])).toEqual([title]);
  for (const message of errors) expectSafe(message, 2000);
  expect(seen.exitCode).toBe(1);
  expect(seen.seconds).toBeLessThan(seconds);
  expect(seen.memoryMiB).toBeLessThan(MEMORY_MIB);
}

/** What these ran on the instance is gone, soon after their runs. */
async function expectGone(users: readonly string[]): Promise<void> {
  for (const user of users) {
    // Brackets, so that this shell does not find itself.
    await waitFor('registry-1', `! pgrep -f '[/]opt/lies/${user}/' && ! pgrep -u ${user}`, 30);
  }
}

test.each(LIARS)('$user: $what', async ({ user, title, says, waits }) => {
  const seen = await runs[user];
  if (seen === undefined) throw new Error(`no run as ${user}`);
  expectRefusal(seen, title, waits ? SLOW_SECONDS : SECONDS);
  if (says !== undefined) expect(seen.annotations[0]?.message).toMatch(says);
});

test('nothing that they ran is left running', () => expectGone(LIARS.map(({ user }) => user)));

test('facts that are right but for the texts in them, which hold commands and controls', async () => {
  const seen = await action({ ...as('poisoner'), 'dry-run': 'true' });
  expectNothingObeyed(seen);
  expect(seen.exitCode).toBe(0);
  expect(seen.maskedLog).toMatch(
    /^instance: remove Docker's entries in \/etc\/apt\/x ::error::owned # #\[error\]owned 1m: /m,
  );
  const printed = seen.maskedLog + seen.summary + seen.outputs.changes;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  await expectGone(['poisoner']);
});

test('a program that talks to the runner, in colours and in no encoding, during the setup', async () => {
  const seen = await action({ ...as('talker'), ui: 'none', 'registry-port': '5001' });
  expect(seen.maskedLog).toContain('::error::owned');
  expectNothingObeyed(seen);
  expect({ exitCode: seen.exitCode, annotations: seen.annotations }).toEqual({
    exitCode: 0,
    annotations: [],
  });
  expect(await output('registry-1', 'curl -fsS http://127.0.0.1:5001/v2/')).toBe('{}');
});

test.each([
  ['flood', 'Too much remote output'],
  // Its output is read by the script, which takes no more than 1 MiB of it.
  ['compose-flood', 'Registry did not start'],
])('a step that prints without an end: %s', async (user, title) => {
  expectRefusal(await action({ ...as(user), 'registry-port': '5002' }), title);
  await expectGone([user]);
});

const ports: Readonly<Record<string, string>> = { 'csh-user': '5003', lectured: '5003' };

test.each([
  ['fish-user', 'the login shell is fish'],
  ['csh-user', 'the login shell is csh'],
  ['talkative', 'a banner, and start-up files of the shell that print'],
  ['lectured', 'sudo gives a lecture to everybody'],
])('%s works: %s', async (user) => {
  // A change, so that both of the remote commands run; and sftp, which is off, is not needed.
  const seen = await succeeding({ ...as(user), 'registry-port': ports[user] ?? '5000' });
  expectNothingObeyed(seen);
  expect(seen.annotations).toEqual([]);
  expect(seen.outputs).toMatchObject({ changed: 'true' });
  expect(seen.ssh).toEqual({ connections: 1, commands: 2 });
});

test('nothing is left behind', async () => {
  await expectNothingLeft(before);
  expect(await output('registry-1', 'ls /root /tmp | grep -c owned || true')).toBe('0');
});
