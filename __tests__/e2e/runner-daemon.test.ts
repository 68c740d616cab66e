import { action, lab, output, shell, succeeding } from './lab';
import { basics, restartDocker } from './machines';

// The Docker daemon of the runner: merged, loaded, and put back byte for byte.

jest.setTimeout(300_000);

const FILE = '/etc/docker/daemon.json';
let inputs: Record<string, string>;

beforeAll(async () => {
  await lab('reset');
  inputs = await basics();
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await output('runner', 'docker pull -q hello-world; docker pull -q registry:3');
  await output('runner', 'docker run -d --name mine --restart no registry:3');
});

/** Writes daemon.json (null: none) and lets the daemon load it where it is valid. */
async function given(content: string | null): Promise<void> {
  const text = content === null ? '' : Buffer.from(content).toString('base64');
  await output(
    'runner',
    content === null
      ? `rm -f ${FILE}; systemctl reload docker`
      : `install -d /etc/docker; base64 -d <<<'${text}' >${FILE}; systemctl reload docker || true`,
  );
}

const bytes = () =>
  output(
    'runner',
    `if [ -e ${FILE} ]; then stat -c '%a %U' ${FILE}; base64 -w0 ${FILE}; else echo absent; fi`,
  );
const uptime = () =>
  output('runner', "docker inspect -f '{{.State.StartedAt}} {{.State.Running}}' mine; pidof dockerd");

test.each([
  ['absent', null],
  ['empty', ''],
  ['an empty object', '{}\n'],
  [
    'other registries and mirrors',
    '{\n\t"registry-mirrors": ["https://mirror.example.com"],\n\t"insecure-registries": ["10.0.0.1:5000"],\r\n\t"log-level": "warn"\n}',
  ],
  ['CRLF and odd blanks', '{ "debug" : false }\r\n\r\n'],
])('daemon.json %s: the registry is added, and afterwards it is as it was', async (_case, content) => {
  await given(content);
  const [before, running] = [await bytes(), await uptime()];
  const seen = await succeeding(inputs, [
    '--later',
    `cat ${FILE}; docker info -f '{{json .RegistryConfig}}'`,
  ]);
  expect(seen.later?.output).toContain(`${seen.outputs.registry}`);
  if (content?.includes('mirror.example.com')) {
    expect(seen.later?.output).toContain('10.0.0.1:5000');
    expect(seen.later?.output).toContain('https://mirror.example.com');
  }
  expect(await bytes()).toBe(before);
  expect(await uptime()).toBe(running);
  expect(await output('runner', "docker info -f '{{json .RegistryConfig.IndexConfigs}}'")).not.toContain(
    `${seen.outputs.registry}`,
  );
});

test.each([
  ['comments', '{\n  // mirrors\n  "debug": false\n}\n', /line 2/],
  ['a missing brace', '{ "debug": false', /line 1/],
  ['a list where a text belongs', '{ "insecure-registries": "10.0.0.1:5000" }', /insecure-registries/],
])('daemon.json with %s is refused with its fault, and is not touched', async (_case, content, message) => {
  await given(content);
  const [before, running] = [await bytes(), await uptime()];
  const { exitCode, annotations } = await action(inputs);
  expect(exitCode).toBe(1);
  const errors = annotations.filter(({ level }) => level === 'error').map((each) => each.message);
  expect(errors.join()).toMatch(/^Broken daemon\.json: /);
  expect(errors.join()).toMatch(message);
  expect(await bytes()).toBe(before);
  expect(await uptime()).toBe(running);
  await given(null);
});

test('restore-runner: false leaves the entry, and the next run finds it', async () => {
  await given(null);
  const kept = { ...inputs, 'restore-runner': 'false' };
  const first = await succeeding(kept);
  expect(first.outputs.changed).toBe('true');
  expect(await output('runner', `cat ${FILE}`)).toContain(String(first.outputs.registry));
  expect((await succeeding(kept)).outputs.changed).toBe('false');
  await given(null);
});

test('configure-runner: false does nothing, and the push says what is missing', async () => {
  await given(null);
  await restartDocker('runner');
  // Under a tag that does not lead to the image yet: otherwise there is nothing to push.
  const { exitCode, annotations } = await action({
    ...inputs,
    'configure-runner': 'false',
    tags: 'unconfigured',
  });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message).join()).toContain('Runner does not accept the registry');
  expect((await shell('runner', `test -e ${FILE}`)).status).not.toBe(0);
});

// Docker 29 has the images in containerd's store; where an engine was updated to it, they stay in its own.
test('with Docker’s own image store a push is verified as well', async () => {
  const driver = () => output('runner', "docker info -f '{{.Driver}}' 2>/dev/null");
  expect(await driver()).toBe('overlayfs');
  await lab('situation', 'classic-store');
  expect(await driver()).toBe('overlay2');
  await output('runner', 'docker pull -q hello-world');
  const before = await bytes();
  const seen = await succeeding(inputs, ['--later', 'docker run --rm "$OUTPUT_image"']);
  expect(seen.later?.output).toContain('Hello from Docker!');
  expect(await bytes()).toBe(before);
  await output('runner', `rm ${FILE}`);
  await restartDocker('runner');
});
