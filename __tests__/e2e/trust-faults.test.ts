import { randomImage } from './images';
import { action, environment, lab, output, type Seen, succeeding, waitFor } from './lab';
import { basics } from './machines';
import { turns } from './scale';

// TLS and logins on bad days: a certificate that ends, Caddy killed, and somebody who guesses passwords. Judged by OpenSSL, curl
// and Docker.

jest.setTimeout(turns(400_000, 3_600_000));

const LOGIN = 'ci:Writer-1';

let inputs: Record<string, string>;
let ip: string;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  inputs = {
    ...(await basics()),
    mode: 'bootstrap',
    'source-ranges': `runner,${String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24')}`,
    tls: 'private-ca',
    username: 'ci',
    password: 'Writer-1',
  };
  await output('runner', 'docker pull -q hello-world');
  await succeeding({ ...inputs, mode: 'deploy' });
});

afterAll(() => lab('fault', 'clear'));

const warnings = ({ annotations }: Seen) => annotations.map(({ message }) => message).join('\n');
const endOfCertificate = () =>
  output(
    'registry-1',
    `openssl s_client -connect ${ip}:5000 </dev/null 2>/dev/null | openssl x509 -noout -enddate -subject`,
  );

test('a certificate that ends: a check says when, a repair makes another one', async () => {
  await lab('fault', 'certificate-expires', '90000');
  expect(await endOfCertificate()).toContain('CN=old');
  const check = await succeeding({ ...inputs, mode: 'health-check' });
  expect(check.outputs.health).toBe('degraded');
  expect(warnings(check)).toMatch(/Certificate: for .*, for 2[45] more hours/);
  const repaired = await succeeding({ ...inputs, mode: 'health-check', repair: 'true' });
  expect(repaired.outputs).toMatchObject({ health: 'healthy', changed: 'true' });
  expect(await endOfCertificate()).not.toContain('CN=old');
});

test('a certificate that has ended: a check says so, a run makes another one', async () => {
  await lab('fault', 'certificate-expires', '1');
  await waitFor(
    'registry-1',
    '! openssl x509 -checkend 0 -noout -in /etc/gce-registry/front/tls/server.crt >/dev/null',
  );
  const check = await action({ ...inputs, mode: 'health-check' });
  expect(check.outputs.health).toBe('unhealthy');
  expect(warnings(check)).toMatch(/Certificate: it expired on/);
  expect((await succeeding({ ...inputs, mode: 'deploy' })).outputs.changed).toBe('true');
  expect(await endOfCertificate()).not.toContain('CN=old');
});

test('Caddy is killed each three seconds: a push comes to its end or says why, and the next run is well', async () => {
  await randomImage('killed:1', 4, 40);
  const push = { ...inputs, mode: 'push', image: 'killed:1', tags: 'killed:1' };
  await lab('fault', 'front-killed', '3');
  const seen = await action(push);
  if (seen.exitCode !== 0) expect(warnings(seen)).toMatch(/^[A-Z][^:]+: .*\. .*\.$/m);
  await lab('fault', 'clear');
  await waitFor('runner', `curl -ksS -u ${LOGIN} -o /dev/null https://${ip}:5000/v2/`);
  const again = await succeeding(push);
  const digest = await output(
    'registry-1',
    `curl -kfsS -u ${LOGIN} -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' https://127.0.0.1:5000/v2/killed/manifests/1 | sha256sum`,
  );
  expect(`sha256:${digest.split(' ')[0]}`).toBe(again.outputs.digest);
  expect((await succeeding({ ...inputs, mode: 'health-check' })).outputs.changed).toBe('false');
});

test(`${turns(100, 1000)} wrong passwords: each costs time, and the right one works from elsewhere meanwhile`, async () => {
  const guesses = turns(100, 1000);
  await output(
    'runner',
    `rm -f /tmp/guessed; systemd-run --quiet --collect --unit guessing bash -c 'seq ${guesses} | xargs -P 16 -I{} \\
       curl -ksS -u ci:wrong-{} -o /dev/null -w "%{http_code} %{time_total}\\n" https://${ip}:5000/v2/ >/tmp/guesses; mv /tmp/guesses /tmp/guessed'`,
  );
  await waitFor('runner', 'grep -q ^401 /tmp/guesses /tmp/guessed 2>/dev/null');
  const right = `curl -ksS -m 20 -u ${LOGIN} -o /dev/null -w '%{http_code} %{time_total}' https://127.0.0.1:5000/v2/`;
  const [status, seconds] = (await output('registry-1', right)).split(' ');
  expect(status).toBe('200');
  expect(Number(seconds)).toBeLessThan(5);
  await waitFor('runner', 'test -e /tmp/guessed', turns(90, 600));
  const answers = (await output('runner', 'cat /tmp/guessed')).split('\n').map((line) => line.split(' '));
  expect(answers).toHaveLength(guesses);
  expect([...new Set(answers.map(([code]) => code))]).toEqual(['401']);
  // A comparison with bcrypt, on two cores, sixteen at a time.
  const all = answers.reduce((sum, [, time]) => sum + Number(time), 0);
  expect(all / guesses).toBeGreaterThan(0.05);
  expect(await output('registry-1', right)).toMatch(/^200 /);
});
