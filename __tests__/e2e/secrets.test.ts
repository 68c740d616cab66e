import { action, control, environment, lab, output, type Seen, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, ownLogin } from './machines';
import { endWatch, formsOf, MARKS, searchMachines, watchFor } from './secrets';

// Secrets that are known, and those that the action makes or is given while it runs, are looked for on both machines:
// in command lines and environments while it runs, and in files, logs and state afterwards.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('reset');
  await lab('fault', 'clear');
  inputs = { ...(await basics()), 'source-ranges': 'runner' };
  // Docker's own programs, which have all kinds of texts in them, are there before anything is searched.
  await succeeding({ ...inputs, mode: 'bootstrap', ui: 'none' });
  await output('runner', 'docker pull -q hello-world');
  before = await snapshotRunner();
});
afterAll(() => lab('fault', 'clear'));

interface Searched {
  readonly seen: Seen;
  /** What was found where it must not be. */
  readonly found: string;
}

/** One run with debug logs, whose job's folder is kept, under watch. `planted` are the secrets that it is given. */
async function searched(
  given: Record<string, string>,
  planted: readonly string[],
  flags: readonly string[] = [],
): Promise<Searched> {
  const forms = planted.flatMap(formsOf);
  await watchFor([...forms, ...MARKS]);
  // A change, so that a script is sent to the instance, and a push, so that programs are run on the runner.
  const port = String(5000 + Math.floor(Math.random() * 1000));
  const seen = await action({ ...inputs, ui: 'none', 'registry-port': port, ...given }, [
    ...['--env', 'RUNNER_DEBUG=1', '--keep'],
    ...flags,
  ]);
  const { found, rounds } = await endWatch();
  expect(rounds).toBeGreaterThan(3);
  const issued = (await control<string[]>('GET', '/tokens')).flatMap(formsOf);
  const secrets = [...forms, ...issued, ...MARKS];
  const log = seen.maskedLog.split('\n').filter((line) => secrets.some((secret) => line.includes(secret)));
  const elsewhere = JSON.stringify({ ...seen, maskedLog: '' });
  const files = await searchMachines(secrets);
  await output('runner', 'rm -rf /home/runner/work/job-*');
  return {
    seen,
    found: [found, ...log, files, ...secrets.filter((secret) => elsewhere.includes(secret))]
      .filter((each) => each !== '')
      .join('\n'),
  };
}

/** That it went well, that nothing was found, and that the action had each of these masked before it was used. */
function expectKept({ seen, found }: Searched): void {
  expect(found).toBe('');
  expect({ exitCode: seen.exitCode, annotations: seen.annotations }).toEqual({
    exitCode: 0,
    annotations: [],
  });
  expect(seen.maskedLog).toMatch(/^(::add-mask::\*\*\*\n)+/);
}

test('what is looked for would be found: in a command line, an environment, a file and the journal', async () => {
  const secret = 'planted-secret-of-the-test-0123456789';
  await watchFor(formsOf(secret));
  await Promise.all(
    ['runner', 'registry-1'].map((machine) =>
      output(
        machine,
        `SECRET=${secret} sleep 2 & base64 <<<'{"secret": "${secret}"}' >/root/secret-copy; echo ${secret} | systemd-cat; wait`,
      ),
    ),
  );
  const { found } = await endWatch();
  expect(found).toMatch(/cmdline bash/);
  expect(found).toMatch(/environ sleep/);
  const files = await searchMachines(formsOf(secret));
  for (const machine of ['runner', 'registry-1']) {
    expect(files).toContain(`${machine}: /root/secret-copy`);
    expect(files).toContain(`${machine}: ${secret}`);
    await output(machine, 'rm /root/secret-copy; journalctl --rotate -q; journalctl --vacuum-time=1s -q');
  }
});

test('the key of a service account, in base64, and a private SSH key', async () => {
  const { json } = await control<{ json: { private_key: string } }>('POST', '/credentials', {
    kind: 'service-account',
  });
  const login = await ownLogin();
  const credentials = Buffer.from(JSON.stringify(json)).toString('base64');
  const planted = [json.private_key, String(login['ssh-private-key'])];
  expectKept(await searched({ ...login, 'credentials-json': credentials }, planted));
});

test('federation from a token in a file, and a key that is made for the run', async () => {
  const folder = '/home/runner/planted';
  const { json, subjectToken } = await control<{ json: object; subjectToken: string }>(
    'POST',
    '/credentials',
    {
      kind: 'external-account',
      file: `${folder}/subject-token`,
    },
  );
  await output(
    'runner',
    `install -d -o runner ${folder} && printf %s '${subjectToken}' >${folder}/subject-token`,
  );
  const flags = ['--env', `RUNNER_TEMP=${folder}`];
  expectKept(await searched({ 'credentials-json': JSON.stringify(json) }, [subjectToken], flags));
  await output('runner', `rm -r ${folder}`);
});

test("federation from the job's own token, as google-github-actions/auth leaves it", async () => {
  expectKept(await searched({}, []));
});

test('an access token', async () => {
  const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', {});
  expectKept(await searched({ 'access-token': accessToken, 'project-id': 'lab-project' }, [accessToken]));
});

test('credentials that Google refuses, with debug logs', async () => {
  const { json } = await control<{ json: { private_key: string } }>('POST', '/credentials', {
    kind: 'service-account',
  });
  const unknown = { ...json, client_email: 'nobody@lab-project.iam.gserviceaccount.com' };
  const { seen, found } = await searched({ 'credentials-json': JSON.stringify(unknown) }, [json.private_key]);
  expect(found).toBe('');
  expect(seen).toMatchObject({ exitCode: 1, api: [] });
  expect(seen.annotations.map(({ message }) => message).join()).toMatch(/^Google refused the credentials: /);
});

test('a private key that cannot be used', async () => {
  const login = await ownLogin();
  const key = String(login['ssh-private-key']);
  const { seen, found } = await searched(
    { ...login, 'ssh-private-key': key.slice(0, 150) + key.slice(190) },
    [key],
  );
  expect(found).toBe('');
  expect(seen.exitCode).toBe(1);
});

test('the password of a login, the hash of another one, and the key of a certificate', async () => {
  const { LAB_INSTANCE_IP } = await environment();
  const pem = await output(
    'runner',
    `cd "$(mktemp -d)" && openssl req -x509 -newkey rsa:2048 -nodes -days 300 -subj /CN=planted -keyout key -out certificate \
       -addext subjectAltName=IP:${LAB_INSTANCE_IP} -addext basicConstraints=critical,CA:FALSE 2>/dev/null
     cat certificate; echo ===; cat key; rm -r "$PWD"`,
  );
  const [certificate = '', key = ''] = pem.split('===\n');
  const password = 'planted-password-0123456789';
  const hash = '$2b$12$JMLFmiAMU8aW78HWSXtD1Ow/5bINIAie9o2RwGCQvF/rvqAXP7GGi';
  const { seen, found } = await searched(
    {
      ...{ tls: 'certificate', 'tls-certificate': certificate, 'tls-private-key': key },
      ...{ username: 'ci', password, readers: `pod:${hash}` },
    },
    [password, hash, key],
  );
  // They lie where the front reads them, for root alone, and nowhere else.
  expect(
    found
      .split('\n')
      .filter((line) => line !== '')
      .sort(),
  ).toEqual([
    'registry-1: /etc/gce-registry/front/tls/server.pem',
    'registry-1: /etc/gce-registry/front/users',
  ]);
  expect(
    await output(
      'registry-1',
      'stat -c "%a %U" /etc/gce-registry/front/tls/server.pem /etc/gce-registry/front/users',
    ),
  ).toBe('600 root\n600 root');
  expect({ exitCode: seen.exitCode, annotations: seen.annotations }).toEqual({
    exitCode: 0,
    annotations: [],
  });
});

test('nothing is left behind', () => expectNothingLeft(before));
