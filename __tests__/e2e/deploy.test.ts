import { shownInBrowser } from './browser';
import { environment, lab, mutations, output, type Seen, shell, succeeding, waitFor } from './lab';
import { basics, fingerprint, ownLogin, served } from './machines';

/**
 * The main job: a bare instance becomes a registry and the workflow's image is in it; a second run changes nothing.
 * The runs share the instance, so they stand in the order in which they happen.
 */
jest.setTimeout(300_000);

let inputs: Record<string, string>;
let ip: string;
let first: Seen;

/** A later step of the same job: what a workflow does with the image that was just pushed. */
const RUN_PULLED = ['--later', 'docker run --rm "$OUTPUT_image"'];

beforeAll(async () => {
  const env = await environment();
  ip = String(env.LAB_INSTANCE_IP);
  inputs = await basics();
  await lab('reset');
  await output('runner', 'docker pull -q hello-world');
  first = await succeeding(inputs, RUN_PULLED);
});

test('bare Debian 13, default inputs: the registry serves the digest that was output', async () => {
  expect(first.outputs).toMatchObject({
    registry: `${ip}:5000`,
    'ui-url': `http://${ip}:18080`,
    changed: 'true',
  });
  expect(await served('registry-1', ['test:latest'])).toEqual({ 'test:latest': first.outputs.digest });
});

test('a later step of the job runs the image from the registry', () => {
  expect(first.later).toMatchObject({ exitCode: 0 });
  expect(first.later?.output).toContain('Hello from Docker!');
});

test('Docker comes from Docker’s repository, the user may use it, and the stack restarts by itself', async () => {
  expect(await output('registry-1', 'apt-cache policy docker-ce')).toContain(
    'https://download.docker.com/linux/debian',
  );
  expect(await output('registry-1', 'docker compose version --short')).toMatch(/^v?\d+\.\d+/);
  expect(await output('registry-1', 'id -nG registry-action')).toContain('docker');
  expect(await output('registry-1', 'systemctl is-enabled docker')).toBe('enabled');
  await waitFor('registry-1', `! docker ps --format '{{.Status}}' | grep -v '(healthy)'`);
  const policies = await output(
    'registry-1',
    'docker inspect $(docker ps -q) --format \'{{.HostConfig.RestartPolicy.Name}} {{.State.Health.Status}} {{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config "max-size"}}\'',
  );
  expect(policies.split('\n')).toHaveLength(3);
  for (const line of policies.split('\n')) expect(line).toMatch(/^always healthy json-file \d+m$/);
  expect(await output('registry-1', "ss -Hltn '( sport = 5001 )'")).toBe('');
});

test('after the post step nobody is admitted, the key is gone, and the runner is as it was', async () => {
  for (const port of [5000, 18080]) {
    expect((await shell('runner', `curl -sS -m 3 http://${ip}:${port}/`)).status).not.toBe(0);
  }
  expect(await metadataKeys()).toBe('');
  expect((await shell('runner', 'test -e /etc/docker/daemon.json')).status).not.toBe(0);
  expect(
    await output(
      'runner',
      "docker info --format '{{json .RegistryConfig.InsecureRegistryCIDRs}} {{json .RegistryConfig.IndexConfigs}}'",
    ),
  ).not.toContain(`${ip}:5000`);
});

test('the whole bare run is 1 SSH connection and 2 remote commands', () => {
  expect(first.ssh).toEqual({ connections: 1, commands: 2 });
});

describe('a second run', () => {
  test('changes nothing: 1 connection, 1 command, no mutation but the key and the opening', async () => {
    const before = await fingerprint();
    const second = await succeeding(inputs);
    expect(second.outputs).toMatchObject({ changed: 'false', changes: '[]', digest: first.outputs.digest });
    expect(second.ssh).toEqual({ connections: 1, commands: 1 });
    expect(mutations(second)).toEqual([
      'DELETE firewalls/registry-1-registry-run-*',
      'POST firewalls',
      'POST instances/registry-1/setMetadata',
      'POST instances/registry-1/setMetadata',
    ]);
    expect(await fingerprint()).toBe(before);
  });

  test('with the user’s key and a standing rule there is no mutation at all', async () => {
    const subnet = String((await environment()).LAB_SUBNET);
    const own = { ...inputs, ...(await ownLogin()), 'source-ranges': subnet };
    await succeeding(own);
    const before = await fingerprint();
    const again = await succeeding(own);
    expect(again.outputs.changed).toBe('false');
    expect(mutations(again)).toEqual([]);
    expect(again.ssh).toEqual({ connections: 1, commands: 1 });
    expect(await fingerprint()).toBe(before);
  });
});

test('with the host’s address in source-ranges its browser shows the image in the web UI', async () => {
  const { LAB_HOST_ADDRESS } = await environment();
  await succeeding({ ...inputs, 'source-ranges': `runner, ${LAB_HOST_ADDRESS}` });
  const page = await shownInBrowser(`http://${ip}:18080/`, ['test']);
  expect(page).toContain('test');
  expect(page).toContain('registry-1 registry');
});

async function metadataKeys(): Promise<string> {
  const url = 'http://metadata.google.internal/computeMetadata/v1/instance/attributes/ssh-keys';
  const { stdout } = await shell('registry-1', `curl -fsS -H 'Metadata-Flavor: Google' ${url} 2>/dev/null`);
  return stdout.trim();
}
