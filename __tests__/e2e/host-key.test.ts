import { action, control, environment, lab, output, succeeding } from './lab';
import { basics, ownLogin } from './machines';

// Without a verified host key there is no connection, and no key of ours is offered to anybody.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let fingerprint: string;
let ip: string;

beforeAll(async () => {
  await lab('reset', 'registry-1');
  ip = String((await environment()).LAB_INSTANCE_IP);
  inputs = { ...(await basics()), mode: 'bootstrap', ...(await ownLogin()) };
  const line = await output('registry-1', 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
  fingerprint = String(line.split(' ')[1]);
});

/** Logins, refused logins and offered keys that sshd has seen after an entry of its log. */
const sshdLog = (cursor: string) =>
  output(
    'registry-1',
    `journalctl --sync
     journalctl -u ssh --after-cursor '${cursor}' -o cat | { grep -E 'publickey|Accepted|Failed' || true; }`,
  );

/** The last entry of the log of an instance. */
const lastEntry = () =>
  output(
    'registry-1',
    "journalctl --sync; journalctl -n 1 --show-cursor -o cat | sed -n 's/^-- cursor: //p'",
  );

test.each([
  ['a wrong fingerprint', { 'ssh-host-key': `SHA256:${'A'.repeat(43)}` }, 'Wrong host key'],
  [
    'a wrong key of the right type',
    { 'ssh-host-key': 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJjTWrT+KnJgK0q8Jq7pQ8Qb7TtQw5w0Zx0m1m3mJm1m' },
    'Wrong host key',
  ],
])('%s: an error with the fingerprint and the remedy, and no key is offered', async (_case, extra, title) => {
  const last = await lastEntry();
  const { exitCode, annotations, ssh } = await action({ ...inputs, ...extra });
  const [error] = annotations.filter(({ level }) => level === 'error');
  expect(exitCode).toBe(1);
  expect(error?.message).toMatch(new RegExp(`^${title}: `));
  expect(error?.message).toContain(fingerprint);
  expect(error?.message).toContain('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
  expect(ssh.connections).toBe(0);
  expect(await sshdLog(last)).toBe('');
});

test('the right fingerprint, or a known_hosts line, is taken', async () => {
  const line = await output('registry-1', 'cut -d" " -f1,2 /etc/ssh/ssh_host_ecdsa_key.pub');
  for (const key of [fingerprint, `${ip} ${line}`]) {
    expect((await succeeding({ ...inputs, 'ssh-host-key': key })).ssh.connections).toBe(1);
  }
});

test('without published host keys the key is unknown: no connection, and the remedy', async () => {
  await control('PATCH', '/instances/registry-1', { forgetGuestAttributes: true });
  const last = await lastEntry();
  const { exitCode, annotations, ssh } = await action(inputs);
  const [error] = annotations.filter(({ level }) => level === 'error');
  expect(exitCode).toBe(1);
  expect(error?.message).toMatch(/^Unknown host key: /);
  expect(error?.message).toContain(fingerprint);
  expect(error?.message).toContain('ssh-host-key');
  expect(ssh.connections).toBe(0);
  expect(await sshdLog(last)).toBe('');
});

test('unverified connects to anything, with a warning that says what that means', async () => {
  const { annotations } = await succeeding({ ...inputs, 'ssh-host-key': 'unverified' });
  const warnings = annotations.filter(({ level }) => level === 'warning').map(({ message }) => message);
  expect(warnings.join()).toMatch(/not verified.*can read and change everything/);
});
