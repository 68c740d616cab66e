import { compute, rule } from './compute';
import { action, control, environment, lab, output, run, type Seen, succeeding, waitFor } from './lab';
import { expectNothingLeft, openings, type RunnerSnapshot, snapshotRunner, sshKeys } from './left-over';
import { basics, served } from './machines';
import { turns } from './scale';

/**
 * Runs that meet: on one instance, on one runner's daemon, in one project, and with a person at work on the instance.
 * All of them share a runner machine and its address, which is harder than a machine for each.
 */
jest.setTimeout(900_000);

const RUNS = 10;
const PASSWORD = 'Together-Secret-1';
const PERSON =
  'person:ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEoCOvZ1ahxNVTYYrbPHM3sDQOBxcVNBZPLmbXjxnEsM person@example.test';

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  // Images are read without a login, so that this story can look at them.
  const logins = {
    username: 'ci',
    password: PASSWORD,
    readers: 'pod:Reader-Secret-2',
    'anonymous-pull': 'true',
  };
  inputs = { ...(await basics()), tls: 'private-ca', ...logins };
  // Images that differ, so that it shows when they are mixed up.
  await output(
    'runner',
    `docker pull -q busybox >/dev/null
     for n in $(seq ${RUNS}); do
       printf 'FROM busybox\\nRUN head -c 100000 /dev/urandom >/data; echo %s >/n\\n' $n | DOCKER_BUILDKIT=0 docker build -q -t app:$n - >/dev/null
     done`,
  );
  await addKey(PERSON);
  before = await snapshotRunner();
});

afterAll(async () => {
  await control('PUT', '/settings', { latency: 300 });
  await lab('fault', 'clear');
});

/** Adds a line to the metadata entry `ssh-keys`, as its owner would. */
async function addKey(line: string): Promise<void> {
  const path = 'zones/europe-west1-b/instances/registry-1';
  const { metadata } = await compute<{
    metadata: { fingerprint: string; items?: { key: string; value: string }[] };
  }>('GET', path);
  const others = (metadata.items ?? []).filter(({ key }) => key !== 'ssh-keys');
  const value = [...(await sshKeys()), line].join('\n');
  const items = [...others, { key: 'ssh-keys', value }];
  const operation = await compute<{ name: string }>('POST', `${path}/setMetadata`, {
    items,
    fingerprint: metadata.fingerprint,
  });
  await compute('POST', `zones/europe-west1-b/operations/${operation.name}/wait`);
}

/** The inputs of run `n` of those at once: image and tag of its own. */
const ofRun = (n: number, series: string): Record<string, string> => ({
  ...inputs,
  image: `app:${n}`,
  tags: `team/app-${n}:${series}`,
});

const numbers = Array.from({ length: RUNS }, (_, index) => index + 1);

/** Logins of runs since the instance was made, by the fingerprint of their key. */
async function logins(): Promise<string[]> {
  const lines = await output(
    'registry-1',
    `journalctl -q -o cat -t sshd -t sshd-session | grep -oP '^Accepted publickey for registry-action .* \\KSHA256:\\S+' || true`,
  );
  return lines.split('\n').filter((line) => line !== '');
}

/** Name of the opening of a run, from what it saved for its post step. */
const openingOf = (seen: Seen): string =>
  /registry-1-registry-run-[0-9a-z-]+/.exec(JSON.stringify(seen.state))?.[0] ?? 'none';

async function expectServed(runs: readonly Seen[], series: string): Promise<void> {
  const names = numbers.map((n) => `team/app-${n}:${series}`);
  const digests = runs.map(({ outputs }) => String(outputs.digest));
  expect(new Set(digests).size).toBe(RUNS);
  expect(await served('registry-1', names)).toEqual(
    Object.fromEntries(names.map((name, index) => [name, digests[index]])),
  );
}

/** All runs were given the certificate of the one CA that was made, by which what the port shows is good. */
async function expectOneAuthority(runs: readonly Seen[]): Promise<void> {
  const authorities = [...new Set(runs.map(({ outputs }) => String(outputs['ca-certificate'])))];
  expect(authorities).toEqual([expect.stringContaining('BEGIN CERTIFICATE')]);
  const { LAB_INSTANCE_IP: ip } = await environment();
  const verified = await output(
    'registry-1',
    `cat >/tmp/ca.crt <<'END'
${authorities[0]}END
     openssl s_client -connect ${ip}:5000 -verify_ip ${ip} -verify_return_error -CAfile /tmp/ca.crt </dev/null 2>&1`,
  );
  expect(verified).toContain('Verify return code: 0 (ok)');
}

/** Each run's own DELETE of its own opening, once, and nobody else's. */
async function expectOwnOpeningsDeleted(runs: readonly Seen[], after: number): Promise<void> {
  const calls = await control<Seen['api']>('GET', `/log?after=${after}`);
  const deleted = calls.filter(({ method, path }) => method === 'DELETE' && path.includes('-registry-run-'));
  expect(deleted.map(({ path, status }) => `${status} ${path.replace(/.*\/|\?.*/g, '')}`).sort()).toEqual(
    runs.map((seen) => `200 ${openingOf(seen)}`).sort(),
  );
}

const lastCall = async () =>
  (await control<{ n: number }[]>('GET', '/log?after=0&service=all')).at(-1)?.n ?? 0;

/** The names of changes, of all runs. */
const changesOf = (runs: readonly Seen[]): string[] =>
  runs.flatMap(({ outputs }) =>
    (JSON.parse(String(outputs.changes)) as { target: string; what: string }[]).map(
      ({ target, what }) => `${target} ${what}`,
    ),
  );

test('ten runs meet on a bare instance: one sets it up, and each pushes its image over one connection', async () => {
  const after = await lastCall();
  // Each job waits before its post step until all have come that far.
  const barrier = 'mkdir -p ~/here; mktemp -p ~/here >/dev/null; until [ -e ~/go ]; do sleep 0.3; done';
  const runs = Promise.all(numbers.map((n) => succeeding(ofRun(n, 'bare'), ['--later', barrier])));
  const here = waitFor('runner', `[ $(ls /home/runner/here | wc -l) = ${RUNS} ]`, 600);
  await Promise.race([here, runs]);

  const keys = await sshKeys();
  expect(keys[0]).toBe(PERSON);
  expect(keys.slice(1).filter((line) => line.startsWith('registry-action:'))).toHaveLength(RUNS);
  expect(keys).toHaveLength(RUNS + 1);
  expect(await openings()).toHaveLength(RUNS);
  await output('runner', 'touch /home/runner/go');

  const seen = await runs;
  await expectServed(seen, 'bare');
  const accepted = await logins();
  expect(accepted).toHaveLength(RUNS);
  expect(new Set(accepted).size).toBe(RUNS);
  await expectOwnOpeningsDeleted(seen, after);
  // What one run did is no change of another.
  const changes = changesOf(seen);
  expect(changes.sort()).toEqual([...new Set(changes)]);
  expect(changes.join()).toContain('docker-ce');
  await expectOneAuthority(seen);
  expect(await sshKeys()).toEqual([PERSON]);
  await expectNothingLeft(before);
});

test('ten runs with slow operations (5 s each in a soak, as Google takes): all succeed, and nothing is set up again', async () => {
  // Of those who come at once, sshd drops a third beyond the fourth; by default, beyond the tenth.
  await output(
    'registry-1',
    "echo 'MaxStartups 4:30:60' >/etc/ssh/sshd_config.d/05-few.conf; systemctl reload ssh.service",
  );
  await control('PUT', '/settings', { latency: turns(1000, 5000) });
  const [after, loggedIn] = [await lastCall(), (await logins()).length];
  const seen = await Promise.all(numbers.map((n) => succeeding(ofRun(n, 'warm'))));
  await control('PUT', '/settings', { latency: 300 });
  await expectServed(seen, 'warm');
  expect((await logins()).length - loggedIn).toBe(RUNS);
  expect(seen.map(({ outputs }) => outputs.changed)).toEqual(numbers.map(() => 'false'));
  await expectOwnOpeningsDeleted(seen, after);
  expect(await sshKeys()).toEqual([PERSON]);
  await expectNothingLeft(before);
});

test('two runs that want different things: one after the other, the second wins, and both logs say so', async () => {
  const title = () =>
    output('registry-1', "docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' gce-registry-ui-1");
  const wishes = (name: string, ui: string, range: string) => ({
    ...inputs,
    mode: 'bootstrap',
    'registry-name': name,
    'ui-port': ui,
    'source-ranges': range,
  });
  const wanted = wishes('The second', '18082', '192.0.2.2/32');
  // A daemon that hangs keeps the first run at work until the second one waits.
  const first = succeeding(wishes('The first', '18081', '192.0.2.1/32'));
  await waitFor('registry-1', '! flock -n /run/gce-registry/lock true && pkill -STOP -x dockerd');
  const second = succeeding(wanted);
  await waitFor('registry-1', '! flock -n /run/gce-registry/lock.awaited true', 180);
  await output('registry-1', 'pkill -CONT -x dockerd');
  const [one, two] = await Promise.all([first, second]);

  expect(await title()).toContain('REGISTRY_TITLE=The second');
  expect(await rule('registry-1-registry')).toMatchObject({
    sourceRanges: ['192.0.2.2/32'],
    allowed: [{ IPProtocol: 'tcp', ports: ['5000', '18082'] }],
  });
  expect(await output('registry-1', "ss -Hltn '( sport = 18081 )'")).toBe('');
  expect(one.maskedLog).toMatch(/Another run \(https:\S+, job lab\) waits for this one to end/);
  expect(two.maskedLog).toMatch(
    /Another run \(https:\S+, job lab\) is changing this instance: waiting for it to end, up to 15 min/,
  );
  expect(one.outputs.changed).toBe('true');
  expect(two.outputs.changed).toBe('true');
  expect((await succeeding(wanted)).outputs.changed).toBe('false');
  await expectNothingLeft(before);
});

test('two instances of one project at once: each gets its own image, and neither the other’s rules', async () => {
  await lab('up', '--instances', '2');
  try {
    const [one, two] = await Promise.all([
      succeeding(ofRun(1, 'two')),
      succeeding({ ...ofRun(2, 'two'), instance: 'registry-2' }),
    ]);
    expect(one.outputs.registry).not.toBe(two.outputs.registry);
    expect(await served('registry-1', ['team/app-1:two'])).toEqual({ 'team/app-1:two': one.outputs.digest });
    expect(await served('registry-2', ['team/app-2:two'])).toEqual({ 'team/app-2:two': two.outputs.digest });
    const repositories = (machine: string) =>
      output(machine, `curl -kfsS -u ci:${PASSWORD} https://127.0.0.1:5000/v2/_catalog`);
    expect(await repositories('registry-2')).not.toContain('app-1');
    await expectNothingLeft(before, { instance: 'registry-2' });
    await expectNothingLeft(before);
  } finally {
    await lab('down', 'registry-2');
  }
});

describe('with a person at work on the instance', () => {
  /** A command of theirs, in a terminal of their own; ends with its status. */
  const person = (script: string) =>
    run('bin/lab', ['exec', 'registry-1', '--', 'bash', '-euo', 'pipefail', '-c', script]);

  beforeAll(() => succeeding({ ...inputs, mode: 'bootstrap' }));

  test('apt-get install: the run waits for its lock and says so', async () => {
    await output('registry-1', 'apt-get remove -y -qq docker-compose-plugin >/dev/null');
    const theirs = person(
      "apt-get install -y -o 'DPkg::Pre-Invoke::=touch /tmp/at-work; until [ -e /tmp/seen ]; do sleep 0.2; done' sl",
    );
    await waitFor('registry-1', '[ -e /tmp/at-work ]');
    const ours = succeeding({ ...inputs, mode: 'bootstrap' });
    // It has its turn, and gets no further.
    await waitFor(
      'registry-1',
      '! flock -n /run/gce-registry/lock true && [ -n "$(find /run/gce-registry/lock -not -newermt "-10 seconds")" ]',
      180,
    );
    await output('registry-1', 'touch /tmp/seen');
    const seen = await ours;
    expect((await theirs).status).toBe(0);
    expect(seen.maskedLog).toMatch(/Waiting for/);
    expect(await output('registry-1', "dpkg -s sl docker-compose-plugin | grep '^Status'")).toBe(
      'Status: install ok installed\nStatus: install ok installed',
    );
    await expectNothingLeft(before);
  });

  test('docker compose, theirs and ours: theirs is not touched, ours runs in the end', async () => {
    await output(
      'registry-1',
      `install -d /srv/theirs && cd /srv/theirs && docker pull -q busybox >/dev/null
       printf 'services:\\n  a:\\n    image: busybox\\n    command: sleep infinity\\n    stop_grace_period: 0s\\n' >compose.yaml
       docker run -d --name kept busybox sleep infinity`,
    );
    const kept = () => output('registry-1', "docker inspect -f '{{.Id}} {{.State.StartedAt}}' kept");
    const keptBefore = await kept();
    const theirs = person(
      'cd /srv/theirs; touch /tmp/composing; while [ -e /tmp/composing ]; do docker compose up -d; docker compose down; done',
    );
    // Compose has no lock: of two commands at once on one project either can be refused ("name is already in use",
    // "no such container"), and is then given once more.
    const oursByHand = person(
      `cd /etc/gce-registry
       for turn in 1 2; do docker compose down || docker compose down; docker compose up -d || docker compose up -d; done`,
    );
    const seen = await action({ ...ofRun(3, 'compose'), 'registry-name': 'The third' });
    const byHand = await oursByHand;
    await output('registry-1', 'rm /tmp/composing');
    expect((await theirs).status).toBe(0);
    expect([seen.exitCode, seen.maskedLog]).toEqual([0, expect.any(String)]);
    expect(byHand).toMatchObject({ status: 0 });
    expect(await kept()).toBe(keptBefore);
    await waitFor('registry-1', `curl -kfsS -u ci:${PASSWORD} https://127.0.0.1:5000/v2/`);
    expect(await served('registry-1', ['team/app-3:compose'])).toEqual({
      'team/app-3:compose': seen.outputs.digest,
    });
    await expectNothingLeft(before);
  });
});
