import { rule } from './compute';
import { action, complaints, control, environment, lab, output, type Seen, shell, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, fingerprint } from './machines';

// Let's Encrypt, for a name and for the bare address, by pebble: its challenges come over the lab's network, from another
// address than the runner's, through the instance's firewall. Judged by OpenSSL, curl and Docker, which trust what they
// trust anyway, by what pebble was asked, and by the Compute API.

jest.setTimeout(400_000);

const ACCOUNT = '/etc/gce-registry/acme/caddy/acme';
const RULE = 'registry-1-registry-acme';

/** An order as it reached the certificate authority. */
interface Order {
  readonly identifiers: readonly { readonly type: string; readonly value: string }[];
  readonly profile: string | null;
  readonly status: number;
}

let inputs: Record<string, string>;
let host: string;
let ip: string;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  await output('runner', 'docker pull -q hello-world');
  const { LAB_INSTANCE_IP, LAB_INSTANCE_HOST } = await environment();
  ip = String(LAB_INSTANCE_IP);
  host = String(LAB_INSTANCE_HOST);
  inputs = { ...(await basics()), tls: 'acme', 'registry-host': host };
  before = await snapshotRunner();
});

afterAll(() => lab('fault', 'clear'));

const orders = () => control<Order[]>('GET', '/acme/orders');

/** What the front's certificate says, seen from the instance, to which its ports are always open. */
const shown = (options: string) =>
  output(
    'registry-1',
    `openssl s_client -connect ${ip}:5000 ${options} </dev/null 2>/dev/null | openssl x509 -noout -serial -ext subjectAltName`,
  );

/** The account with the authority, and the certificates: their names and what is in them. */
const kept = () => output('registry-1', `find ${ACCOUNT} -type f -exec sha256sum {} + | sort`);

const messageOf = ({ annotations }: Seen) =>
  annotations.flatMap(({ level, message }) => (level === 'error' ? [message] : [])).join();

/** A run that ends with the error of this title. */
async function failing(title: string, changes: Record<string, string> = {}): Promise<string> {
  const seen = await action({ ...inputs, ...changes });
  const message = messageOf(seen);
  expect(message).toMatch(new RegExp(`^${title}: `));
  expect(seen.exitCode).toBe(1);
  await expectNothingLeft(before);
  return message;
}

describe('before anybody is asked', () => {
  test('a name that leads elsewhere is refused, with where, and nothing is changed', async () => {
    await lab('fault', 'dns-wrong');
    const state = await fingerprint();
    const message = await failing('Name does not lead to the instance');
    expect(message).toContain(`${host} leads to 203.0.113.99; the external address of registry-1 is ${ip}`);
    await lab('fault', 'clear');
    expect(await fingerprint()).toBe(state);
    expect(await rule(RULE)).toBeUndefined();
    expect(await orders()).toEqual([]);
  });

  test('a name that the DNS does not know, and an instance without an external address', async () => {
    const message = await failing('Name does not lead to the instance', {
      'registry-host': 'registry-9.example.com',
    });
    expect(message).toContain('the DNS has no address for registry-9.example.com');
    await lab('fault', 'instance-shape', 'no-external-address');
    await failing('No public address');
    await lab('fault', 'clear');
    expect(await orders()).toEqual([]);
  });
});

describe('a name', () => {
  let seen: Seen;

  test('a bare instance, one run: pushed, and pulled in a later step by a Docker that was told nothing', async () => {
    const later = 'docker image rm -f "$OUTPUT_image" >/dev/null; docker pull -q "$OUTPUT_image"';
    seen = await succeeding(inputs, ['--later', later]);
    expect(seen.later?.exitCode).toBe(0);
    expect(seen.outputs).toMatchObject({
      scheme: 'https',
      registry: `${host}:5000`,
      'ca-certificate': '',
      'ui-url': `https://${host}:18080`,
    });
    expect(seen.summary).not.toContain('On a machine that pulls for the first time');
    await expectNothingLeft(before);
    // pebble refuses one good nonce in twenty, to see whether clients ask again (letsencrypt/pebble, README, "Invalid Anti-Replay
    // Nonce Errors"): what was refused so is no order.
    const asked = await orders();
    expect(asked.filter(({ status }) => status !== 400)).toEqual([
      { identifiers: [{ type: 'dns', value: host }], profile: null, status: 201 },
    ]);
  });

  test('its certificate is for that name, by an authority that the world trusts', async () => {
    const verified = `openssl s_client -connect ${ip}:5000 -servername ${host} -verify_hostname ${host} -verify_return_error -CApath /etc/ssl/certs </dev/null 2>&1`;
    expect(await output('registry-1', verified)).toContain('Verify return code: 0 (ok)');
    expect(await shown(`-servername ${host}`)).toContain(`DNS:${host}`);
    const asked = `curl -sS -o /dev/null -w '%{http_code} %{ssl_verify_result}' https://${host}`;
    expect(await output('registry-1', `${asked}:5000/v2/`)).toBe('200 0');
    expect(await output('registry-1', `${asked}:18080/`)).toBe('200 0');
  });

  test('the rule for challenges is a change with its reason, for port 80 alone', async () => {
    expect(String(seen.outputs.changes)).toContain(`rule ${RULE}`);
    expect(seen.maskedLog).toContain('addresses that it does not publish');
    expect(await rule(RULE)).toMatchObject({
      sourceRanges: ['0.0.0.0/0'],
      targetTags: ['registry-1-registry'],
      allowed: [{ IPProtocol: 'tcp', ports: ['80'] }],
    });
    expect(await rule('registry-1-registry')).toBeUndefined();
  });

  test('from outside, port 80 answers nothing, and no other port is open', async () => {
    for (const path of [
      '/',
      '/v2/',
      '/.well-known/acme-challenge/x',
      '/.well-known/acme-challenge/../../v2/',
    ]) {
      const answer = await shell('runner', `curl -sS --path-as-is -m 10 http://${ip}${path}`);
      expect([path, answer.status, answer.stdout]).toEqual([path, 52, '']);
    }
    const other = await shell('runner', `curl -sS -m 5 -H 'Host: ${host}' http://${ip}:80/v2/_catalog`);
    expect([other.status, other.stdout]).toEqual([52, '']);
    expect((await shell('runner', `curl -ksS -m 3 https://${ip}:5000/v2/`)).status).toBe(28);
  });

  test('a second run changes nothing, asks nobody, and the check is well', async () => {
    const asked = (await orders()).length;
    const state = await fingerprint();
    const again = await succeeding(inputs);
    expect(again.outputs.changed).toBe('false');
    expect(again.ssh).toEqual({ connections: 1, commands: 1 });
    expect(await fingerprint()).toBe(state);
    const check = await succeeding({ ...inputs, mode: 'health-check' });
    expect(complaints(check)).toBe('');
    expect(check.maskedLog).toMatch(new RegExp(`Certificate +healthy +for ${host}, for \\d+ more days`));
    expect((await orders()).length).toBe(asked);
    await expectNothingLeft(before);
  });

  test('the container that Docker looks at is healthy', async () => {
    const health = "docker inspect -f '{{.State.Health.Status}}' gce-registry-front-1";
    expect(await output('registry-1', health)).toBe('healthy');
  });

  test('account and certificate outlast another image of the front, and a front that was removed', async () => {
    const asked = (await orders()).length;
    const [account, serial] = [await kept(), await shown('')];
    const other = await succeeding({ ...inputs, mode: 'bootstrap', 'front-image': 'caddy:2' });
    expect(other.outputs.changed).toBe('true');
    expect([await kept(), await shown('')]).toEqual([account, serial]);
    await output('registry-1', 'docker rm -f gce-registry-front-1 >/dev/null');
    await succeeding({ ...inputs, mode: 'bootstrap' });
    expect([await kept(), await shown('')]).toEqual([account, serial]);
    expect((await orders()).length).toBe(asked);
    expect(await output('registry-1', 'stat -c %a /etc/gce-registry/acme')).toBe('700');
  });
});

describe('the bare address', () => {
  test('one run: by the profile for addresses, for 160 hours, shown to who names no host', async () => {
    const { 'registry-host': _, ...bare } = inputs;
    const later = 'docker pull -q "$OUTPUT_image"';
    const seen = await succeeding({ ...bare, tags: 'address:1' }, ['--later', later]);
    expect(seen.outputs.registry).toBe(`${ip}:5000`);
    expect(seen.later?.exitCode).toBe(0);
    expect((await orders()).at(-1)).toEqual({
      identifiers: [{ type: 'ip', value: ip }],
      profile: 'shortlived',
      status: 201,
    });
    const asked = `curl -sS -o /dev/null -w '%{http_code} %{ssl_verify_result}' https://${ip}:5000/v2/`;
    expect(await output('registry-1', asked)).toBe('200 0');
    expect(await shown('-noservername')).toContain(`IP Address:${ip}`);
    const times = await output(
      'registry-1',
      `openssl s_client -connect ${ip}:5000 -noservername </dev/null 2>/dev/null | openssl x509 -noout -startdate -enddate | cut -d= -f2 |
         while read -r time; do date -d "$time" +%s; done`,
    );
    const [begin = 0, end = 0] = times.split('\n').map(Number);
    expect(Math.round((end - begin) / 3600)).toBe(160);
    expect((await succeeding({ ...bare, tags: 'address:1' })).outputs.changed).toBe('false');
    await expectNothingLeft(before);
  });
});

describe('what the authority says', () => {
  /** Another name than before: what there is for one is enough. */
  const anew = async () => {
    await output('registry-1', 'rm -rf /etc/gce-registry/acme/caddy/certificates/*');
    return { mode: 'bootstrap' };
  };

  test('a limit is named, with its end, at once; and the run after it goes on', async () => {
    const changes = await anew();
    await lab('fault', 'acme-rate-limit');
    const start = Date.now();
    const message = await failing('Certificate authority limits requests', changes);
    expect(message).toContain('too many certificates (5) already issued');
    expect(message).toMatch(/Wait until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, and run again/);
    expect(Date.now() - start).toBeLessThan(60_000);
    await lab('fault', 'clear');
    expect((await succeeding({ ...inputs, ...changes })).outputs.changed).toBe('true');
    expect(await shown(`-servername ${host}`)).toContain(`DNS:${host}`);
  });

  test('an authority that is away is named as that, after two minutes', async () => {
    const changes = await anew();
    await lab('fault', 'acme-down');
    const message = await failing('Certificate authority not reachable', changes);
    expect(message).toContain('down for maintenance');
    await lab('fault', 'clear');
    expect((await succeeding({ ...inputs, ...changes })).outputs.changed).toBe('true');
    expect(await shown(`-servername ${host}`)).toContain(`DNS:${host}`);
  });
});

test('to plain HTTP and back: the rule goes and comes, and what there is will do', async () => {
  const asked = (await orders()).length;
  const serial = await shown('');
  for (const tls of ['none', 'acme']) {
    const changed = { ...inputs, mode: 'bootstrap', tls };
    await succeeding(changed);
    expect((await rule(RULE)) !== undefined).toBe(tls === 'acme');
    const listens = await shell('registry-1', "ss -Hltn 'sport = :80' | grep -q .");
    expect(listens.status === 0).toBe(tls === 'acme');
    expect((await succeeding(changed)).outputs.changed).toBe('false');
  }
  expect(await shown('')).toBe(serial);
  expect((await orders()).length).toBe(asked);
  await expectNothingLeft(before);
});
