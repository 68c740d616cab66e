import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { shownInBrowser, trusting } from './browser';
import { beginGuessing } from './guessing';
import { action, complaints, environment, lab, output, shell, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';
import { turns } from './scale';

// Logins that may push or only pull, for registry and page, judged by Docker, curl and Chromium.

jest.setTimeout(300_000);

const WRITER = 'Writer-Secret-1:"$x';
const READER = 'Reader-Secret-2';

let inputs: Record<string, string>;
let ip: string;
let ca: string;
let before: RunnerSnapshot;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = {
    ...(await basics()),
    'source-ranges': `runner,${host}`,
    tls: 'private-ca',
    username: 'ci',
    password: WRITER,
    readers: `pod:${READER}`,
  };
  before = await snapshotRunner();
});

/** The status of a request to the front from outside, with a login or without. */
const status = (method: string, path: string, login?: string) =>
  output(
    'runner',
    `curl -ks -o /tmp/body -w '%{http_code}' -X ${method} ${login === undefined ? '' : `-u '${login}'`} https://${ip}:5000${path}`,
  );
const body = () => output('runner', 'cat /tmp/body');

/** Makes this runner's Docker trust the authority for the time of a script. */
const trusted = (script: string) =>
  shell(
    'runner',
    `D=/etc/docker/certs.d/${ip}:5000; mkdir -p $D; printf '%s' '${ca}' >$D/ca.crt
     export DOCKER_CONFIG=$(mktemp -d); trap 'rm -rf "$DOCKER_CONFIG" /etc/docker/certs.d' EXIT
     ${script}`,
  );
const login = (name: string, password: string) =>
  `printf '%s' '${password}' | docker login -u ${name} --password-stdin ${ip}:5000 2>&1`;

test('a bare instance, one run: pushed with the login, nothing of it left, and a second run changes nothing', async () => {
  const seen = await succeeding(inputs);
  ca = String(seen.outputs['ca-certificate']);
  expect(seen.maskedLog).not.toContain('Secret');
  await expectNothingLeft(before);
  const again = await succeeding(inputs);
  expect(again.outputs.changed).toBe('false');
  expect(again.ssh).toEqual({ connections: 1, commands: 1 });
  expect(complaints(await succeeding({ ...inputs, mode: 'health-check' }))).toBe('');
  expect(await output('registry-1', 'stat -c %a /etc/gce-registry/front/users')).toBe('600');
});

test('no password and no hash is anywhere but in that file', async () => {
  const debug = await succeeding({ ...inputs, password: 'Another-Secret-3' }, ['--env', 'RUNNER_DEBUG=1']);
  expect(JSON.stringify(debug)).not.toMatch(/Secret-\d|\$2[aby]\$/);
  for (const machine of ['registry-1', 'runner']) {
    const places = '/etc /run /tmp /home /root /var/log /var/tmp';
    const found = await output(
      machine,
      `grep -rlsE -D skip --exclude-dir=_actions 'Secret-[0-9]|\\$2[aby]\\$1[0-9]\\$' ${places} 2>/dev/null | grep -v -e ^/run/docker -e /proc/ || true`,
    );
    expect(found).toBe(machine === 'runner' ? '' : '/etc/gce-registry/front/users');
  }
  expect(
    await output('registry-1', 'docker logs gce-registry-front-1 2>&1; docker inspect gce-registry-front-1'),
  ).not.toMatch(/Secret-\d|\$2[aby]\$/);
  await succeeding(inputs);
});

test('nobody without a login reads a byte of registry or page', async () => {
  for (const path of [
    '/',
    '/v2/',
    '/v2/_catalog',
    '/v2/test/tags/list',
    '/v2/test/manifests/latest',
    '/index.html',
  ]) {
    expect([path, await status('GET', path)]).toEqual([path, '401']);
    expect([path, await status('GET', path, 'pod:wrong')]).toEqual([path, '401']);
    expect([path, await status('GET', path, 'nobody:wrong')]).toEqual([path, '401']);
  }
  await status('GET', '/v2/');
  expect(JSON.parse(await body()).errors[0].code).toBe('UNAUTHORIZED');
});

test('a reader reads, and may write nothing', async () => {
  expect(await status('GET', '/v2/_catalog', `pod:${READER}`)).toBe('200');
  for (const [method, path] of [
    ['POST', '/v2/test/blobs/uploads/'],
    ['PUT', '/v2/test/manifests/x'],
    ['PATCH', '/v2/test/blobs/uploads/x'],
    ['DELETE', `/v2/test/manifests/sha256:${'0'.repeat(64)}`],
  ] as const) {
    expect([method, await status(method, path, `pod:${READER}`)]).toEqual([method, '403']);
    expect(JSON.parse(await body()).errors[0].code).toBe('DENIED');
  }
  const seen = await trusted(
    `${login('pod', READER)} && docker pull -q ${ip}:5000/test:latest && docker tag ${ip}:5000/test:latest ${ip}:5000/other:1 &&
     docker push ${ip}:5000/other:1 2>&1`,
  );
  expect(seen.stdout).toContain('Login Succeeded');
  expect(seen.status).not.toBe(0);
  expect(seen.stdout).toMatch(/denied/);
});

test('a writer pushes; a wrong password does not log in', async () => {
  const pushed = await trusted(
    `${login('ci', WRITER)} && docker tag hello-world ${ip}:5000/other:2 && docker push -q ${ip}:5000/other:2 2>&1`,
  );
  expect([pushed.status, pushed.stdout]).toEqual([0, expect.stringContaining('other:2')]);
  expect((await trusted(login('ci', 'wrong'))).stdout).toMatch(/unauthorized/i);
  await output('runner', `docker rmi -f ${ip}:5000/other:1 ${ip}:5000/other:2 ${ip}:5000/test:latest`);
});

test('a run with a login that is not there, or may only pull, says so', async () => {
  for (const wrong of [
    { username: 'pod', password: READER },
    { username: 'ci', password: 'wrong' },
  ]) {
    const { exitCode, annotations } = await action({
      ...inputs,
      ...wrong,
      readers: '',
      mode: 'push',
      tags: 'no:1',
    });
    expect(exitCode).toBe(1);
    expect(annotations.map(({ message }) => message).join()).toMatch(
      /^(Registry wants another login|Push denied): /,
    );
  }
  await expectNothingLeft(before);
});

test('page and registry are behind one login, and the page lists what there is', async () => {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  try {
    const credentials = { username: 'pod', password: READER };
    const shown = await shownInBrowser(`https://${ip}:18080/`, ['test'], trusting(home, ca), credentials);
    expect(shown).toContain('test');
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('a login that is taken away stops at once; one that is not spoken of stays', async () => {
  const first = await succeeding({
    ...inputs,
    mode: 'bootstrap',
    readers: `web:${READER}`,
    users: 'ann:Ann-Secret-4',
  });
  expect(String(first.outputs.changes)).toContain('there is to be no pod');
  expect(first.summary).toContain('1 login of before is refused.');
  expect(await status('GET', '/v2/', `pod:${READER}`)).toBe('401');
  expect(await status('GET', '/v2/', `web:${READER}`)).toBe('200');
  const second = await succeeding({ ...inputs, mode: 'bootstrap', readers: '' });
  expect(second.outputs.changed).toBe('false');
  expect(await status('GET', '/v2/', 'ann:Ann-Secret-4')).toBe('200');
});

test('wrong passwords are slowed down, and the right one goes on: to log in, and for a run that pushes', async () => {
  // Also the answers that the front remembers go.
  await output(
    'registry-1',
    `docker exec -i gce-registry-front-1 caddy reload --force --config - --adapter caddyfile \\
       --address unix//run/front/admin.sock </etc/gce-registry/front/Caddyfile 2>/dev/null`,
  );
  const guesser = await beginGuessing(ip, 'ci', 16);
  const pushing = succeeding({ ...inputs, readers: '', mode: 'push', tags: 'guessed:1' });
  const times: number[] = [];
  const logIn = async () => {
    const seconds = await output(
      'runner',
      `curl -fks -m 60 -o /dev/null -w '%{time_total}' -u '${`ci:${WRITER}`}' https://${ip}:5000/v2/`,
    );
    times.push(Number(seconds));
  };
  while (guesser.answers() < turns(100, 1000)) await logIn();
  const { outputs } = await pushing;
  const { statuses, perSecond } = await guesser.end();
  expect(statuses).toEqual(['401']);
  expect(perSecond / cpus().length).toBeLessThan(100);
  expect(times.length).toBeGreaterThan(0);
  // It takes its turn among the sixteen, however slow the machine is: not many more are answered while it waits.
  expect(Math.max(...times) * perSecond).toBeLessThan(8 * 17);
  expect(outputs.digest).toMatch(/^sha256:/);
});

test('anonymous-pull lets everybody pull what they know the name of, and no more', async () => {
  await succeeding({ ...inputs, mode: 'bootstrap', 'anonymous-pull': 'true' });
  const pulled = await trusted(`docker pull -q ${ip}:5000/test:latest && docker rmi ${ip}:5000/test:latest`);
  expect([pulled.status, pulled.stderr]).toEqual([0, '']);
  for (const path of ['/', '/v2/_catalog']) expect([path, await status('GET', path)]).toEqual([path, '401']);
  expect(await status('POST', '/v2/test/blobs/uploads/')).toBe('401');
  const pushed = await trusted(
    `docker tag hello-world ${ip}:5000/other:3 && ! docker push ${ip}:5000/other:3 2>&1 &&
     ${login('ci', WRITER)} && docker push -q ${ip}:5000/other:3; docker rmi ${ip}:5000/other:3 >/dev/null`,
  );
  expect([pulled.status, pushed.stdout]).toEqual([
    0,
    expect.stringMatching(/denied|unauthorized|authorization failed|authentication/),
  ]);
  expect(await status('GET', '/v2/other/tags/list')).toBe('200');
  expect((await trusted(login('ci', 'wrong'))).stdout).toMatch(/unauthorized|401/i);
  expect((await succeeding({ ...inputs, tags: 'open:1', 'anonymous-pull': 'true' })).outputs.digest).toMatch(
    /^sha256:/,
  );
});

test('without TLS a login is refused, and none is left behind by going back to plain HTTP', async () => {
  const refused = await action({ ...inputs, tls: 'none' });
  expect(refused.annotations.map(({ message }) => message).join()).toMatch(/^Invalid input: .*`tls` is none/);
  const bare = { ...inputs, tls: 'none', username: '', password: '', readers: '' };
  const kept = await action({ ...bare, mode: 'bootstrap' });
  expect(kept.annotations.map(({ message }) => message).join()).toMatch(/^Logins need TLS: /);
  const gone = { ...bare, mode: 'bootstrap', users: 'none', readers: 'none' };
  const open = await succeeding(gone);
  expect(open.outputs.scheme).toBe('http');
  expect(open.summary).toContain('It takes no login any more');
  expect(await output('runner', `curl -fsS http://${ip}:5000/v2/_catalog`)).toContain('test');
  expect((await succeeding(gone)).outputs.changed).toBe('false');
});
