import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deleteRule, insertRule, rules } from './compute';
import { randomImage, removeImages } from './images';
import {
  action,
  complaints,
  environment,
  lab,
  mutations,
  output,
  type Seen,
  shell,
  succeeding,
  waitFor,
} from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, ownLogin, restartDocker } from './machines';

// `route: ssh`: the run, and the Docker of its job, reach the registry through the SSH connection. Judged by Google's
// API, ss, a scan from another machine, Docker, and the processes of the runner.

jest.setTimeout(300_000);

const PASSWORD = 'Tunnel-Secret-1';
/** The command line of a tunnel. */
const TUNNEL = '[d]ist/index.js tunnel';

let inputs: Record<string, string>;
let ip: string;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('reset');
  await lab('fault', 'clear');
  ip = String((await environment()).LAB_INSTANCE_IP);
  inputs = { ...(await basics()), route: 'ssh', username: 'ci', password: PASSWORD };
  before = await snapshotRunner();
});
afterAll(() => lab('fault', 'clear'));

/** Nothing of a tunnel is left on the runner. */
async function expectClosed(): Promise<void> {
  const { stdout } = await shell(
    'runner',
    `pgrep -af '${TUNNEL}' || true; ss -Hltnp | grep -E ':(5000|18080) ' || true`,
  );
  expect(stdout).toBe('');
  await expectNothingLeft(before);
}

/** The rules of the project that it did not have before. */
const ownRules = async () =>
  (await rules()).map(({ name }) => name).filter((name) => !name.startsWith('default-'));

/** The addresses and ports that the instance listens on, but for sshd. */
const listeners = () =>
  output('registry-1', "ss -Hltn | awk '{print $4}' | grep -vE '^127.0.0.11:|:22$' | sort | paste -sd' '");

/** Which ports of the instance answer, SSH's and the registry's, tried from the runner's machine. */
const scan = () =>
  output(
    'runner',
    `for port in 22 5000 18080; do timeout 2 bash -c "</dev/tcp/${ip}/$port" 2>/dev/null && echo "$port" || true; done`,
  );

describe('a bare instance, with a login and without TLS', () => {
  let seen: Seen;

  test('one run: pushed through SSH; a later step pulls, pushes and builds by the port of its loopback', async () => {
    seen = await succeeding(inputs, [
      '--later',
      `
        docker pull -q "$OUTPUT_endpoint/test@$OUTPUT_digest"
        docker tag "$OUTPUT_endpoint/test@$OUTPUT_digest" "$OUTPUT_endpoint/later:1"
        docker push -q "$OUTPUT_endpoint/later:1"
        cd "$(mktemp -d)" && echo hello >file && printf 'FROM scratch\\nCOPY file /\\n' >Dockerfile
        docker buildx build --quiet --push --tag "$OUTPUT_endpoint/built:1" . && echo built
        curl -sS -o /dev/null -w 'without a login %{http_code}\\n' "http://$OUTPUT_endpoint/v2/"
        pgrep -fc '${TUNNEL}'; ls /etc/docker/certs.d 2>/dev/null || true`,
    ]);
    expect(seen.later?.output).toMatch(/built\nwithout a login 401\n1$/);
    expect(seen.later?.exitCode).toBe(0);
    expect(seen.outputs).toMatchObject({
      registry: `${ip}:5000`,
      endpoint: '127.0.0.1:5000',
      scheme: 'http',
    });
    expect(seen.outputs.image).toMatch(`${ip}:5000/test:latest@`);
    await expectClosed();
  });

  test('no rule was made, nor a tag; of the metadata the run’s key alone was changed', async () => {
    expect([...new Set(mutations(seen))]).toEqual(['POST instances/registry-1/setMetadata']);
    expect(await ownRules()).toEqual([]);
  });

  test('no port is open, even where some other rule lets everything pass', async () => {
    expect(await listeners()).toBe('127.0.0.1:18080 127.0.0.1:5000');
    await insertRule({
      name: 'theirs',
      network: 'global/networks/default',
      direction: 'INGRESS',
      sourceRanges: ['0.0.0.0/0'],
      allowed: [{ IPProtocol: 'tcp' }],
    });
    try {
      expect(await scan()).toBe('22');
    } finally {
      await deleteRule('theirs');
    }
  });

  test('what was pushed is there, and a second run changes nothing', async () => {
    const debug = await succeeding(inputs, ['--env', 'RUNNER_DEBUG=1']);
    expect(debug.outputs.changed).toBe('false');
    expect(JSON.stringify(debug)).not.toContain(PASSWORD);
    await expectClosed();
    const health = await succeeding({ ...inputs, mode: 'health-check' });
    expect(complaints(health)).toBe('');
    await expectClosed();
  });
});

test('with TLS, the run looks at the certificate, and Docker need not be told of it', async () => {
  const seen = await succeeding({ ...inputs, tls: 'private-ca' }, [
    '--later',
    'docker pull -q "$OUTPUT_endpoint/test@$OUTPUT_digest"; ls /etc/docker/certs.d 2>&1 || true',
  ]);
  expect(seen.later?.output).toMatch(/No such file or directory$/);
  expect(seen.outputs).toMatchObject({ endpoint: '127.0.0.1:5000', scheme: 'https' });
  expect(
    (await succeeding({ ...inputs, tls: 'private-ca', mode: 'push', tags: 'pushed:1' })).outputs,
  ).toMatchObject({
    endpoint: '127.0.0.1:5000',
  });
  await expectClosed();
  expect((await succeeding({ ...inputs, mode: 'bootstrap' })).outputs.scheme).toBe('http');
});

test('mode connect: a later step is logged in, and a builder of its own pushes through the tunnel', async () => {
  const seen = await succeeding({ ...inputs, mode: 'connect' }, [
    '--later',
    `docker pull -q "$OUTPUT_endpoint/test:latest"
     cd "$(mktemp -d)" && printf 'FROM scratch\\nCOPY Dockerfile /\\n' >Dockerfile
     printf '%s' "$OUTPUT_buildkitd_config" >buildkitd.toml
     docker buildx create --name tunnel --driver docker-container --driver-opt network=host \\
       --buildkitd-config buildkitd.toml --bootstrap >/dev/null 2>&1
     docker buildx build --builder tunnel --quiet --push --tag "$OUTPUT_endpoint/tunnel:1" . && echo built
     docker buildx rm tunnel >/dev/null 2>&1`,
  ]);
  expect(seen.later).toMatchObject({ exitCode: 0, output: expect.stringMatching(/\nbuilt$/) });
  expect(seen.outputs).toMatchObject({
    endpoint: '127.0.0.1:5000',
    username: 'ci',
    changed: 'false',
    image: '',
  });
  await expectClosed();
});

test('a port that somebody has is left to them', async () => {
  await output(
    'runner',
    `systemd-run --quiet --collect --unit theirs perl -MIO::Socket::INET -e '
       my $socket = IO::Socket::INET->new(LocalPort => 5000, Listen => 5, ReuseAddr => 1) or die; sleep'`,
  );
  await waitFor('runner', 'ss -Hltn | grep -q :5000');
  const { outputs } = await succeeding({ ...inputs, mode: 'push', tags: 'elsewhere:1' });
  expect(outputs.endpoint).toMatch(/^127\.0\.0\.1:(?!5000$)\d+$/);
  expect(outputs.image).toMatch(`${ip}:5000/elsewhere:1@`);
  await output('runner', 'systemctl stop theirs.service');
});

describe('a connection that is lost', () => {
  test('while a later step uses it: the next who comes gets a new one', async () => {
    const drop = 'touch /tmp/drop; until [ -e /tmp/dropped ]; do sleep 0.1; done';
    await output('runner', 'rm -f /tmp/drop /tmp/dropped');
    const run = succeeding(inputs, [
      '--later',
      `${drop}; docker pull -q "$OUTPUT_endpoint/test@$OUTPUT_digest"`,
    ]);
    await waitFor('runner', 'test -e /tmp/drop', 200);
    await output('registry-1', 'pkill -KILL -u registry-action');
    await output('runner', 'touch /tmp/dropped');
    expect((await run).later?.exitCode).toBe(0);
    await expectClosed();
  });

  test('while the run pushes through it: Docker tries again', async () => {
    await randomImage('cut:1', 1, 100);
    const own = await ownLogin();
    await lab('fault', 'ssh-drop', '40000000');
    const { outputs } = await succeeding({ ...inputs, ...own, mode: 'push', image: 'cut:1', tags: 'cut:1' });
    await lab('fault', 'clear');
    expect(outputs.image).toMatch(/cut:1@sha256/);
    await removeImages('cut:1');
    await expectClosed();
  });
});

/** A run that goes on, with an image that takes a while. */
async function begin(): Promise<Seen> {
  await output('runner', 'rm -rf /home/runner/work/job-*');
  const file = join(mkdtempSync(join(tmpdir(), 'seen-')), 'seen.json');
  const values = Object.entries({ ...inputs, mode: 'push', image: 'killed:1', tags: 'killed:1' });
  const words = ['action', '--keep', '--json', file, ...values.map((pair) => pair.join('='))];
  const child = spawn('bin/lab', words, { env: process.env, stdio: 'ignore' });
  return new Promise((resolve) => {
    child.on('close', () => resolve(JSON.parse(readFileSync(file, 'utf8')) as Seen));
  });
}

describe('the main step is killed', () => {
  const kill = () => output('runner', 'kill -KILL $(cat /home/runner/work/job-*/main/pid)');
  beforeAll(() => randomImage('killed:1', 2, 100));
  afterAll(() => removeImages('killed:1'));

  test('while it pushes: the post step closes the tunnel', async () => {
    const run = begin();
    await output('runner', 'until pgrep -f "[d]ocker .*push" >/dev/null; do :; done');
    await kill();
    const seen = await run;
    expect(seen.exitCode).toBe(137);
    // Not GitHub's runner, at the end of the job; what is left of `docker push` is its own.
    expect(seen.maskedLog).not.toMatch(/Terminate orphan process: pid \(\d+\) \((node|MainThread)\)/);
    await waitFor('runner', '! pgrep -f "[d]ocker .*push"', 60);
    await expectClosed();
  });

  test('before the tunnel stands: its process ends by itself', async () => {
    const run = begin();
    // The login of the run goes through, and that of the tunnel stands still.
    await output('runner', `until pgrep -f '${TUNNEL}' >/dev/null; do :; done; pkill -STOP -f '${TUNNEL}'`);
    await kill();
    await output('runner', `pkill -CONT -f '${TUNNEL}' || true`);
    await waitFor('runner', `! pgrep -f '${TUNNEL}'`, 10);
    await run;
    await expectClosed();
  });

  test('with the runner, so that there is no post step: the tunnel ends all the same', async () => {
    // Its own key would stay in the metadata until it expires.
    const alone = { ...inputs, ...(await ownLogin()), mode: 'push', tags: 'alone:1' };
    const seen = await succeeding(alone, ['--no-post']);
    expect(seen.outputs.endpoint).toBe('127.0.0.1:5000');
    await waitFor('runner', `! pgrep -f '${TUNNEL}'`, 10);
    expect(await output('runner', 'ss -Hltn | grep -c :5000 || true')).toBe('0');
  });
});

describe('the process of the tunnel is killed', () => {
  const killed = `pkill -KILL -f '${TUNNEL}'`;

  test('while it pushes: the run says so, and the next one is well', async () => {
    await randomImage('killed:1', 2, 100);
    const run = begin();
    await output('runner', `until pgrep -f "[d]ocker .*push" >/dev/null; do :; done; ${killed}`);
    const { exitCode, annotations } = await run;
    expect(exitCode).toBe(1);
    expect(annotations.map(({ message }) => message).join()).toMatch(/^Tunnel ended: /);
    await expectClosed();
    const next = await succeeding({ ...inputs, mode: 'push', image: 'killed:1', tags: 'killed:1' });
    expect(next.outputs.image).toMatch(/killed:1@sha256/);
    await expectClosed();
    await removeImages('killed:1');
  });

  test('in a later step: the post step has nothing to close, and says nothing of it', async () => {
    const seen = await succeeding({ ...inputs, mode: 'connect' }, ['--later', killed]);
    expect(seen.later?.exitCode).toBe(0);
    expect(seen.annotations).toEqual([]);
    await expectClosed();
  });
});

describe('an sshd that does not forward', () => {
  const config = '/etc/ssh/sshd_config.d/20-theirs.conf';
  afterEach(() => output('registry-1', `rm -f ${config}; systemctl reload ssh.service`));

  test.each([['AllowTcpForwarding no'], ['DisableForwarding yes'], ['PermitOpen 127.0.0.1:9']])(
    '%s: the error says so at once, and nothing is left',
    async (line) => {
      await output('registry-1', `echo '${line}' >${config}; systemctl reload ssh.service`);
      const { exitCode, annotations, seconds } = await action({ ...inputs, mode: 'push' });
      expect(exitCode).toBe(1);
      expect(annotations.map(({ message }) => message).join()).toMatch(
        /^SSH forwarding is not allowed: .*AllowTcpForwarding local/,
      );
      expect(seconds).toBeLessThan(30);
      await expectClosed();
    },
  );

  test('MaxSessions 1 is enough, and so is a PermitOpen that names the port', async () => {
    await output(
      'registry-1',
      `printf '%s\\n' 'MaxSessions 1' 'AllowTcpForwarding local' 'PermitOpen 127.0.0.1:5000' >${config}; systemctl reload ssh.service`,
    );
    await succeeding({ ...inputs, mode: 'push', tags: 'strict:1' });
    await expectClosed();
  });
});

test('Docker in a network of its own is refused before anything is pushed', async () => {
  // As with a daemon of another machine, a virtual one, or rootless.
  await output(
    'runner',
    `ip netns add elsewhere && ip -n elsewhere link set lo up
     mkdir -p /etc/systemd/system/docker.service.d
     printf '[Service]\\nNetworkNamespacePath=/run/netns/elsewhere\\n' >/etc/systemd/system/docker.service.d/elsewhere.conf
     systemctl daemon-reload`,
  );
  try {
    await restartDocker('runner');
    const { annotations } = await action({ ...inputs, mode: 'push', tags: 'far:1' });
    expect(annotations.map(({ message }) => message).join()).toMatch(/^Docker does not reach the tunnel: /);
  } finally {
    await output(
      'runner',
      'rm -r /etc/systemd/system/docker.service.d/elsewhere.conf; systemctl daemon-reload; ip netns del elsewhere || true',
    );
    await restartDocker('runner');
  }
});

test('with CIDRs others get in, and the run still comes through SSH', async () => {
  const { LAB_HOST_ADDRESS } = await environment();
  const open = { ...inputs, tls: 'private-ca', 'source-ranges': `${LAB_HOST_ADDRESS}/32`, mode: 'bootstrap' };
  const { outputs } = await succeeding(open);
  expect(outputs.changed).toBe('true');
  expect(await ownRules()).toEqual(['registry-1-registry']);
  expect(await listeners()).toContain('0.0.0.0:5000');
  // This runner is not among them.
  expect(await scan()).toBe('22');
  const pushed = await succeeding({ ...open, mode: 'push', tags: 'both:1' });
  expect(
    await output(
      'registry-1',
      `curl -ksS -o /dev/null -w '%{http_code}' -u ci:${PASSWORD} https://127.0.0.1:5000/v2/both/manifests/1`,
    ),
  ).toBe('200');
  expect(pushed.outputs.endpoint).toBe('127.0.0.1:5000');
  // And back: the rule goes, and the ports.
  const closed = await succeeding({ ...inputs, mode: 'bootstrap' });
  expect(closed.summary).toContain('Access was taken away');
  expect([await ownRules(), await listeners()]).toEqual([[], '127.0.0.1:18080 127.0.0.1:5000']);
});
