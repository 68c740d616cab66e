import { cutOff, type Kill } from './cutting-off';
import { environment, lab, output, succeeding } from './lab';
import { basics, fingerprint, ownLogin } from './machines';
import { turns } from './scale';

// The steps that give the front a certificate which is not the instance's own are cut off, each deeper in; the next run
// gets past them. The others are the story of kill-instance. Judged by OpenSSL, and by a second run.

jest.setTimeout(1_800_000);

interface Cut {
  readonly kill: Kill;
  readonly command: number;
}
const END = 1_000_000;
const CUTS: readonly Cut[] = turns<readonly Cut[]>(
  [
    { kill: 'power', command: 1 },
    { kill: 'script', command: 4 },
  ],
  [1, 2, 4, 7, 12, END].flatMap((command) =>
    (['script', 'power', 'sshd', 'shell'] as const).map((kill) => ({ kill, command })),
  ),
);

let inputs: Record<string, string>;
let ip: string;
let host: string;

beforeAll(async () => {
  await lab('fault', 'clear');
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const { LAB_INSTANCE_IP, LAB_INSTANCE_HOST } = await environment();
  [ip, host] = [String(LAB_INSTANCE_IP), String(LAB_INSTANCE_HOST)];
  inputs = { ...(await basics()), ...(await ownLogin()), mode: 'bootstrap', 'registry-host': host };
  await succeeding(inputs);
});
afterAll(() => lab('fault', 'clear'));

/** Who has signed what the port shows, and whether it is for the name of the registry. */
const shown = () =>
  output(
    'registry-1',
    `openssl s_client -connect ${ip}:5000 -servername ${host} </dev/null 2>/dev/null | openssl x509 -noout -issuer -checkhost ${host}`,
  );

/** Nothing half done is left, and there is nothing to do. */
async function expectWhole(wanted: Record<string, string>, issuer: RegExp): Promise<void> {
  expect(await shown()).toMatch(issuer);
  expect(await shown()).toContain('does match certificate');
  expect(await output('registry-1', 'find / -xdev -name ".*.gce-registry.*"')).toBe('');
  const state = await fingerprint();
  const again = await succeeding(wanted);
  expect([again.outputs.changed, again.ssh.commands]).toEqual(['false', 1]);
  expect(await fingerprint()).toBe(state);
}

/** A certificate for the name by an authority of its own, and its key. */
async function given(): Promise<Record<string, string>> {
  const [certificate = '', key = ''] = (
    await output(
      'runner',
      `cd "$(mktemp -d)" && openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -subj '/CN=given root' -days 90 -out root 2>/dev/null
       openssl req -new -newkey rsa:2048 -nodes -keyout key -subj /CN=given -out request 2>/dev/null
       echo 'subjectAltName=DNS:${host}' >names
       openssl x509 -req -in request -CA root -CAkey root.key -days 90 -extfile names 2>/dev/null; cat root; echo ===; cat key`,
    )
  ).split('===\n');
  return { tls: 'certificate', 'tls-certificate': certificate, 'tls-private-key': key };
}

test('a certificate that is given: wherever the step is cut off, the next run goes on', async () => {
  for (const { kill, command } of CUTS) {
    // Another each time: what is cut off can go on to its end, and then there is nothing to do.
    const other = { ...inputs, ...(await given()) };
    await cutOff(other, { name: 'step_use_certificate', argument: '' }, command, kill);
  }
  await lab('fault', 'clear');
  const wanted = { ...inputs, ...(await given()) };
  await succeeding(wanted);
  await expectWhole(wanted, /CN *= *given root/);
});

test("one by Let's Encrypt: cut off while it is asked for, the next run asks again", async () => {
  const wanted = { ...inputs, tls: 'acme' };
  // So that there is none before the step has been cut off, however long that takes.
  await lab('fault', 'acme-down');
  // Else a hand-over waits for the certificate of the second front, 100 s; those are cut off in kill-hand-over.
  await output('registry-1', 'docker rm -f gce-registry-front-1');
  for (const { kill, command } of CUTS) {
    // What goes on waits two minutes for the certificate each time, and the step does not come to its end.
    if (command === END || ((kill === 'sshd' || kill === 'shell') && command !== 4)) continue;
    await cutOff(wanted, { name: 'step_obtain_certificate', argument: '' }, command, kill);
  }
  await lab('fault', 'clear');
  const { outputs } = await succeeding(wanted);
  expect(outputs.changes).toContain('certificate of the front');
  await expectWhole(wanted, /pebble/i);
});
