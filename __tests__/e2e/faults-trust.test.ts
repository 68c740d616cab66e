import { randomImage, removeImages } from './images';
import { action, complaints, environment, lab, output, type Seen, succeeding, waitFor } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';
import { turns } from './scale';
import { uploadBegun } from './wire';

// What goes wrong with the front, its certificate and its logins: named by the health check, and mended by the next run.
// Judged by OpenSSL, curl, and Docker.

jest.setTimeout(300_000);

const LOGIN = { username: 'ci', password: 'Trust-Secret-1' };
const IMAGE = 'trust/image:1';

let inputs: Record<string, string>;
let ip: string;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('fault', 'clear');
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), 'source-ranges': `runner,${host}`, tls: 'private-ca', ...LOGIN };
  before = await snapshotRunner();
  await succeeding(inputs);
});
afterEach(async () => {
  await lab('fault', 'clear');
  await expectNothingLeft(before);
});
afterAll(() => removeImages(IMAGE));

const bootstrap = () => succeeding({ ...inputs, mode: 'bootstrap' });
const check = (changes: Record<string, string> = {}) =>
  action({ ...inputs, mode: 'health-check', ...changes });
const errorsOf = ({ annotations }: Seen) =>
  annotations.flatMap(({ level, message }) => (level === 'error' ? [message] : [])).join('\n');

/** What OpenSSL says of what the port shows, by the instance's own authority. */
const verified = () =>
  output(
    'registry-1',
    `openssl s_client -connect ${ip}:5000 -verify_ip ${ip} -CAfile /etc/gce-registry/ca/ca.crt </dev/null 2>&1 | grep -m 1 'Verify return code'`,
  );

/** The status that somebody without a login gets, from outside. */
const status = (url: string) =>
  output('runner', `curl -ks -m 15 -o /dev/null -w '%{http_code}' ${url} || true`);

/** All is well again, seen from outside and by the check. */
async function expectWell(): Promise<void> {
  expect(await verified()).toContain('0 (ok)');
  expect(await status(`https://${ip}:5000/v2/`)).toBe('401');
  const seen = await check();
  expect([complaints(seen), errorsOf(seen)]).toEqual(['', '']);
}

describe('a certificate that has expired', () => {
  beforeAll(async () => {
    await lab('fault', 'certificate-expires', '0');
    expect(await verified()).toContain('certificate has expired');
  });

  test('is named by the check, and by a run that sets nothing up; a run that does makes another', async () => {
    const seen = await check();
    expect([seen.exitCode, seen.outputs.health]).toEqual([1, 'unhealthy']);
    expect(errorsOf(seen)).toMatch(/Certificate: it expired on \d{4}-\d\d-\d\d \|/);
    const pushed = await action({ ...inputs, mode: 'push', tags: 'expired:1' });
    expect(pushed.exitCode).toBe(1);
    expect(errorsOf(pushed)).toMatch(
      /^Certificate not trusted: .*: certificate has expired\. .*`mode: bootstrap`/,
    );
    expect(pushed.maskedLog).not.toContain('again in');
    const { outputs } = await succeeding({ ...inputs, tags: 'renewed:1' });
    expect(outputs.changes).toContain('less than a third of its time is left');
    await expectWell();
  });
});

describe('a way past TLS and logins', () => {
  test('another registry of the same images, as somebody had it published before, is named until it is gone', async () => {
    const data = 'docker volume inspect -f {{.Mountpoint}} gce-registry_registry-data';
    await output(
      'registry-1',
      `docker run --detach --quiet --name old -p 5001:5000 -v "$(${data}):/var/lib/registry" registry:3`,
    );
    await waitFor('registry-1', 'curl -fsS http://127.0.0.1:5001/v2/_catalog');
    const seen = await check();
    expect([seen.exitCode, seen.outputs.health]).toEqual([1, 'unhealthy']);
    expect(errorsOf(seen)).toMatch(
      /: Way past the front: container old publishes port 5001 itself, without TLS or a login$/,
    );
    await output('registry-1', 'docker rm -f old');
    await expectWell();
  });

  test('a registry that speaks plain HTTP yet, and lets everybody in: each is named, and the next run ends it', async () => {
    const plain = { tls: 'none', username: '', password: '', users: 'none', readers: 'none' };
    await succeeding({ ...inputs, ...plain, mode: 'bootstrap' });
    expect(await status(`http://${ip}:5000/v2/_catalog`)).toBe('200');
    const seen = await check();
    expect([seen.exitCode, seen.outputs.health]).toEqual([1, 'unhealthy']);
    expect(errorsOf(seen)).toMatch(/Way past the front: port 5000 still speaks plain HTTP/);
    expect(errorsOf(seen)).toMatch(/Logins: the registry lets in who has none/);
    await bootstrap();
    expect(await status(`http://${ip}:5000/v2/_catalog`)).toBe('308');
    await expectWell();
  });

  test('a gate that somebody took out of the front: named, and put back by the next run', async () => {
    // As by hand: the file is another, and the front has loaded it.
    await output(
      'registry-1',
      `cd /etc/gce-registry/front && sed -i '/basic_auth/,/}/d; /^\\s*error @denied 403/d' Caddyfile
       docker exec -i gce-registry-front-1 caddy reload --force --config - --adapter caddyfile \\
         --address unix//run/front/admin.sock <Caddyfile 2>/dev/null`,
    );
    expect(await status(`https://${ip}:5000/v2/_catalog`)).toBe('200');
    const seen = await check();
    expect([seen.exitCode, seen.outputs.health]).toEqual([1, 'unhealthy']);
    expect(errorsOf(seen)).toMatch(/Logins: the registry lets in who has none/);
    await bootstrap();
    await expectWell();
  });
});

describe('a front that is killed', () => {
  beforeEach(async () => {
    await randomImage(IMAGE, 3, 15);
    await lab('fault', 'slow-network', '200');
  });

  const ended = ({ maskedLog }: Seen) => {
    throw new Error(`the run ended before it was to:\n${maskedLog}`);
  };
  const push = (tag: string) => action({ ...inputs, image: IMAGE, tags: tag });

  test('once, while megabytes are under way: the push comes to its end', async () => {
    const running = push('once:1');
    await Promise.race([uploadBegun('once'), running.then(ended)]);
    await lab('fault', 'front-killed');
    await lab('fault', 'slow-network', '1');
    const seen = await running;
    expect([seen.exitCode, errorsOf(seen)]).toEqual([0, '']);
    expect(await output('registry-1', "docker inspect -f '{{.RestartCount}}' gce-registry-front-1")).not.toBe(
      '0',
    );
    await expectServed('once:1', seen);
  });

  test('again and again: the check says so; the run ends well or says what it is, and the next one is well', async () => {
    const running = push('often:1');
    await Promise.race([uploadBegun('often'), running.then(ended)]);
    await lab('fault', 'front-killed', '1');
    await waitFor(
      'registry-1',
      "docker inspect -f '{{.RestartCount}}' gce-registry-front-1 | grep -qE '^([3-9]|[1-9][0-9])'",
    );
    const checked = await check();
    expect([checked.exitCode, checked.outputs.health]).toEqual([1, 'unhealthy']);
    expect(checked.maskedLog).toMatch(
      /^Container front +(unhealthy|degraded) +(it keeps restarting: \d+ times|running, restarted \d+ times, last at )/m,
    );
    // In a soak until the run gives up.
    const isGivenUp = turns(false, true);
    if (!isGivenUp) await lab('fault', 'clear');
    const seen = await running;
    expect(seen.exitCode).toBe(isGivenUp ? 1 : 0);
    expect(errorsOf(seen)).toMatch(
      isGivenUp ? /^(Push failed|Registry not reachable|Registry did not start): / : /^$/,
    );
    await lab('fault', 'clear');
    const next = await push('often:1');
    expect([next.exitCode, errorsOf(next)]).toEqual([0, '']);
    await expectServed('often:1', next);
    // Of one that was started again so shortly ago it is said, and nothing else is amiss; a run may have made it anew.
    const restarts = await output('registry-1', "docker inspect -f '{{.RestartCount}}' gce-registry-front-1");
    const after = await check();
    const isNew = restarts === '0';
    expect([after.exitCode, after.outputs.health]).toEqual([0, isNew ? 'healthy' : 'degraded']);
    expect(after.annotations.map(({ message }) => message).join()).toMatch(
      isNew ? /^$/ : /^[^|]*Container front: running, restarted \d+ times, last at [^|]*$/,
    );
  });

  async function expectServed(name: string, { outputs }: Seen): Promise<void> {
    const [repository, tag] = name.split(':');
    const digest = await output(
      'runner',
      `curl -kfsSI -u ci:${LOGIN.password} -H 'Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json' https://${ip}:5000/v2/${repository}/manifests/${tag} | tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p'`,
    );
    expect(digest).toBe(outputs.digest);
  }
});
