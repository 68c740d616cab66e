import { shownInBrowser } from './browser';
import { randomImage } from './images';
import { action, environment, lab, output, shell, succeeding, waitFor } from './lab';
import { basics, served } from './machines';

// Other registries, UIs, ports, names and places; and the images survive whatever is changed.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let ip: string;
/** This host, which the browser is on, as the instance sees it. */
let host: string;

beforeAll(async () => {
  await lab('reset');
  const env = await environment();
  ip = String(env.LAB_INSTANCE_IP);
  host = String(env.LAB_HOST_ADDRESS);
  inputs = await basics();
  await output('runner', 'docker pull -q hello-world');
});

const containers = () => output('registry-1', "docker ps --format '{{.Image}}' | sort");

test('registry 2 with hyper, a title with markup in it, and several tags', async () => {
  const title = `Tom's <b>"registry"</b> $HOME \`id\``;
  const seen = await succeeding({
    ...inputs,
    'registry-image': 'registry:2',
    ui: 'hyper',
    'registry-name': title,
    'source-ranges': `runner, ${host}`,
    tags: 'test:1, test:2\nteam/other',
  });
  expect(await containers()).toBe('caddy:2.11.9\nhyper/docker-registry-web:latest\nregistry:2');
  expect(JSON.parse(String(seen.outputs.images))).toEqual(
    ['test:1', 'test:2', 'team/other:latest'].map((name) => ({
      reference: `${ip}:5000/${name}`,
      digest: seen.outputs.digest,
    })),
  );
  const digest = String(seen.outputs.digest);
  expect(await served('registry-1', ['test:1', 'test:2', 'team/other:latest'])).toEqual({
    'test:1': digest,
    'test:2': digest,
    'team/other:latest': digest,
  });
  expect(await shownInBrowser(`http://${ip}:18080/`, [title, 'team/other'])).toContain('team/other');
});

test('a title with markup shows literally in the joxit UI too', async () => {
  const title = `R&D ~ "quoted" <b>'x'</b> \\1 $HOME \`id\``;
  await succeeding({
    ...inputs,
    'registry-image': 'registry:2',
    'registry-name': title,
    mode: 'bootstrap',
    'source-ranges': host,
  });
  expect(await shownInBrowser(`http://${ip}:18080/`, [title])).toContain(title);
});

test('from registry 2 to 3, without a UI, on other ports: the images are still there, and the old ports closed', async () => {
  const seen = await succeeding({ ...inputs, tags: 'test:3', ui: 'none', 'registry-port': '5001' });
  expect(await containers()).toBe('caddy:2.11.9\nregistry:3');
  expect(seen.outputs).toMatchObject({ registry: `${ip}:5001`, 'ui-url': '' });
  const digest = String(seen.outputs.digest);
  expect(await served('registry-1', ['test:1', 'test:3'], 5001)).toEqual({
    'test:1': digest,
    'test:3': digest,
  });
  expect(await output('registry-1', "ss -Hltn '( sport = 5000 or sport = 18080 )'")).toBe('');
});

test('a restart of the VM loses nothing', async () => {
  const before = await served('registry-1', ['test:1', 'team/other:latest'], 5001);
  // On its way down the machine still answers for a while.
  await shell('registry-1', 'touch /run/before-the-reboot; systemctl reboot');
  await waitFor('registry-1', '[ ! -e /run/before-the-reboot ] && curl -fsS http://127.0.0.1:5001/v2/');
  expect(await served('registry-1', ['test:1', 'team/other:latest'], 5001)).toEqual(before);
  const again = await succeeding({ ...inputs, tags: 'test:3', ui: 'none', 'registry-port': '5001' });
  expect(again.outputs.changed).toBe('false');
});

test('a new data-path is refused while the volume holds images, and says how to move them', async () => {
  const { exitCode, annotations } = await action({ ...inputs, 'data-path': '/mnt/registry' });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message).join()).toMatch(/^Images would be stranded: /);
  expect(await containers()).toBe('caddy:2.11.9\nregistry:3');
});

test('data-path on a fresh instance, and registry-host as a name', async () => {
  await lab('reset', 'registry-1');
  await output(
    'runner',
    `grep -q registry.example.test /etc/hosts || echo '${ip} registry.example.test' >>/etc/hosts`,
  );
  const seen = await succeeding({
    ...inputs,
    'data-path': '/mnt/registry',
    'registry-host': 'registry.example.test',
  });
  expect(seen.outputs.registry).toBe('registry.example.test:5000');
  expect(seen.outputs.image).toMatch(/^registry\.example\.test:5000\/test:latest@sha256:/);
  expect(seen.summary).not.toContain('Unless that address is reserved');
  expect(await output('registry-1', 'ls /mnt/registry/docker/registry/v2/repositories')).toBe('test');
  expect(await served('registry-1', ['test:latest'])).toEqual({ 'test:latest': seen.outputs.digest });
});

test('the last image asked for is the one that runs: an image that is pushed again is not uploaded again', async () => {
  await randomImage('big:1', 5, 20);
  const big = { ...inputs, image: 'big:1', tags: 'big:1', 'data-path': '/mnt/registry' };
  const first = await succeeding(big);
  const received = () => output('registry-1', 'cat /sys/class/net/eth0/statistics/rx_bytes');
  const before = Number(await received());
  const second = await succeeding(big);
  expect(second.outputs.digest).toBe(first.outputs.digest);
  expect(Number(await received()) - before).toBeLessThan(5_000_000);
  expect(await output('runner', "docker images --format '{{.Repository}}:{{.Tag}}' | sort")).toBe(
    'big:1\nhello-world:latest',
  );
  expect(second.maskedLog).toContain('leads to this image already');
});
