import { atWork, CLIENTS, DOCKER, expectWork, SKOPEO, type Work, WRITER, workOf } from './clients';
import { action, environment, lab, output, shell, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';

// `mode: connect`, and the clients that people push and pull with, over TLS by the instance's own authority, with logins.

jest.setTimeout(300_000);

const READER = 'Reader-Secret-2';

let inputs: Record<string, string>;
let ip: string;
let before: RunnerSnapshot;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  inputs = {
    ...(await basics()),
    // This runner is also the machine that nobody prepared, which has to be let in.
    'source-ranges': `runner,${String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24')}`,
    tls: 'private-ca',
    ...WRITER,
    readers: `pod:${READER}`,
  };
  await lab('situation', 'clients');
  // Somebody else's login, with a helper for all others, which must not be asked for ours.
  await output(
    'runner',
    `printf '#!/bin/sh\\nread -r server; echo "$1 $server" >>/tmp/asked\\necho credentials not found in native keychain; exit 1\\n' \\
       >/usr/local/bin/docker-credential-nobody; chmod 755 /usr/local/bin/docker-credential-nobody
     touch /tmp/asked; chmod 666 /tmp/asked
     install -d -o runner -g runner -m 700 /home/runner/.docker
     echo '{"auths":{"ghcr.io":{"auth":"eDp5"}},"credsStore":"nobody"}' >/home/runner/.docker/config.json
     chown runner: /home/runner/.docker/config.json`,
  );
  before = await snapshotRunner();
  await succeeding(inputs);
});

/** A job that connects, and a step after it; returns what the step printed. */
async function connected(script: string, changes: Record<string, string> = {}): Promise<string> {
  const seen = await succeeding({ ...inputs, mode: 'connect', image: '', tags: '', ...changes }, [
    '--later',
    script,
  ]);
  if (seen.later?.exitCode !== 0) throw new Error(`the later step failed:\n${seen.later?.output}`);
  return seen.later.output;
}

/** What the registry has under a name, as the instance sees it with the login of this story. */
const digestOf = (name: string) =>
  output(
    'registry-1',
    `curl -fksS -u 'ci:${WRITER.password}' -o /tmp/served -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' \\
       https://127.0.0.1:5000/v2/${name.replace(':', '/manifests/')} && echo "sha256:$(sha256sum </tmp/served | cut -d' ' -f1)"`,
  );

test('says where the registry is and as whom, changes nothing, and leaves nothing behind', async () => {
  const config = 'cat /home/runner/.docker/config.json';
  const theirs = await output('runner', config);
  const seen = await succeeding({ ...inputs, mode: 'connect' }, ['--later', 'echo "$DOCKER_CONFIG"']);
  expect(seen.outputs).toMatchObject({
    registry: `${ip}:5000`,
    endpoint: `${ip}:5000`,
    username: 'ci',
    changed: 'false',
    image: '',
  });
  expect(seen.outputs['buildkitd-config']).toContain(`/etc/docker/certs.d/${ip}:5000/ca.crt`);
  expect(seen.maskedLog).not.toContain('Secret');
  expect(seen.ssh.commands).toBe(1);
  const directory = String(seen.later?.output);
  expect(await output('runner', `ls -d ${directory} 2>/dev/null || echo gone`)).toBe('gone');
  expect(await output('runner', config)).toBe(theirs);
  await expectNothingLeft(before);
});

test('Docker pushes and pulls in a later step, and other logins are there too', async () => {
  const said = await connected(
    `docker pull -q busybox && docker tag busybox $OUTPUT_registry/by/docker:1 && docker push -q $OUTPUT_registry/by/docker:1
     docker image rm $OUTPUT_registry/by/docker:1 >/dev/null && docker pull -q $OUTPUT_registry/by/docker:1
     jq -r '.auths["ghcr.io"].auth, .credsStore' "$DOCKER_CONFIG/config.json"`,
  );
  expect(said).toContain(`${ip}:5000/by/docker:1`);
  expect(said).toMatch(/eDp5\nnobody$/);
  const asked = await output('runner', 'cat /tmp/asked');
  expect(asked).toContain('docker.io');
  expect(asked).not.toContain(ip);
  expect(await digestOf('by/docker:1')).toMatch(/^sha256:/);
});

test('a login that a later step makes is made beside ours, and goes with it', async () => {
  const said = await connected(
    `printf '%s' '${READER}' | docker login -u pod --password-stdin localhost:1 2>&1 || true
     docker logout ghcr.io >/dev/null && jq -c '.auths | keys' "$DOCKER_CONFIG/config.json"`,
  );
  expect(said).toContain(`${ip}:5000`);
  expect(await output('runner', 'jq -r \'.auths["ghcr.io"].auth\' /home/runner/.docker/config.json')).toBe(
    'eDp5',
  );
});

describe('every client, with the login of the job', () => {
  let works: Map<string, Work>;

  beforeAll(async () => {
    // Podman and Skopeo know no store for all registries, and run an empty helper as if it were one.
    await output('runner', 'sed -i \'s/,"credsStore":"nobody"//\' /home/runner/.docker/config.json');
    works = workOf(await connected(atWork(CLIENTS)));
  });

  test.each(CLIENTS.map(({ name }) => name))('%s pushes and pulls', (name) => expectWork(works, name));

  test.each(['docker', 'skopeo'])('%s does so by the internal address', async (name) => {
    const { LAB_INSTANCE_INTERNAL_IP: internal } = await environment();
    // On a VM of Google's it is the address of the interface, and a runner in its network has a way to it.
    await output('registry-1', `ip addr replace ${internal}/32 dev eth0`);
    await output('runner', `ip route replace ${internal}/32 dev eth0`);
    const clients = [DOCKER, SKOPEO].filter((client) => client.name === name);
    const said = await connected(`echo "at $OUTPUT_registry"; ${atWork(clients, 'internal')}`, {
      'registry-host': String(internal),
    });
    expect(said).toContain(`at ${internal}:5000`);
    await expectWork(workOf(said), name, 'internal');
  });
});

test('a wrong password ends the step, by name, and leaves nothing', async () => {
  const { exitCode, annotations } = await action({ ...inputs, mode: 'connect', password: 'Wrong-Secret-4' });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message).join('\n')).toMatch(/^Registry wants another login: /);
  await expectNothingLeft(before);
});

test('a reader pulls in a later step, and cannot push', async () => {
  const said = await connected(
    `docker pull -q $OUTPUT_registry/test:latest && docker tag $OUTPUT_registry/test:latest $OUTPUT_registry/by/reader:1
     docker push $OUTPUT_registry/by/reader:1 2>&1 || echo refused`,
    { username: 'pod', password: READER, readers: '' },
  );
  expect(said).toMatch(/denied[\s\S]*refused$/);
});

test('two jobs on one machine have nothing to do with each other’s login', async () => {
  const first = action({ ...inputs, mode: 'connect' }, [
    '--later',
    'for i in $(seq 1 40); do docker pull -q $OUTPUT_registry/test:latest || exit 1; done',
  ]);
  for (let round = 0; round < 3; round += 1)
    await connected('docker pull -q $OUTPUT_registry/test:latest', {
      username: 'pod',
      password: READER,
      readers: '',
    });
  expect((await first).later?.exitCode).toBe(0);
  await expectNothingLeft(before);
});

test('a machine that nobody prepared is refused TLS; after `client-script` it pulls, and a second time changes nothing', async () => {
  await lab('reset', 'runner');
  const pull = `docker pull -q ${ip}:5000/test:latest 2>&1`;
  expect((await shell('runner', pull)).stdout).toMatch(/certificate/);
  const { outputs } = await succeeding({ ...inputs, mode: 'bootstrap' });
  const script = `cat >/root/client.sh <<'SCRIPT'
${outputs['client-script']}SCRIPT
REGISTRY_LOGIN='pod:${READER}' sh /root/client.sh`;
  expect(outputs['client-script']).not.toContain('Secret');
  await output('runner', script);
  const files = `find /etc/docker /etc/containerd /root/.docker -type f -printf '%p %T@ %i\\n' | grep -v config.json; md5sum /root/.docker/config.json`;
  const written = await output('runner', files);
  expect(await output('runner', pull)).toContain(`${ip}:5000/test:latest`);
  await output('runner', script);
  expect(await output('runner', files)).toBe(written);
});
