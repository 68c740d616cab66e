import { action, environment, lab, output, type Seen, succeeding, waitFor } from './lab';
import { basics, restartDocker, served } from './machines';

// A runner whose daemon takes the registry only by a restart: with Docker 20.10 and mirrors, a reload would make it forget
// all insecure registries, the owner's too (https://github.com/moby/moby/pull/45552).

jest.setTimeout(300_000);

const FILE = '/etc/docker/daemon.json';
const THEIRS = '{"registry-mirrors": ["https://mirror.gcr.io"], "insecure-registries": ["10.9.9.9:5000"]}';
const FOLDER = '/etc/systemd/system/docker.service.d';
const DROP_IN = `${FOLDER}/story.conf`;
let inputs: Record<string, string>;
let ip: string;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner', '--kind', 'docker-20')]);
  inputs = await basics();
  ip = String((await environment()).LAB_INSTANCE_IP);
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await output('runner', 'docker pull -q hello-world; docker pull -q registry:3');
});
beforeEach(async () => {
  await output(
    'runner',
    `docker rm -f service >/dev/null 2>&1; mkdir -p ${FOLDER}; rm -f ${DROP_IN}; systemctl daemon-reload`,
  );
  // Of long ago: what the daemon has started with is known to be good.
  await output('runner', `printf '%s' '${THEIRS}' >${FILE}; touch -d '1 hour ago' ${FILE}`);
  await restartDocker('runner');
});
afterAll(() => lab('reset', 'runner', '--kind', 'docker-29'));

const pid = () => output('runner', 'pidof dockerd');
const file = () => output('runner', `cat ${FILE}`);
const accepted = () => output('runner', "docker info -f '{{json .RegistryConfig.IndexConfigs}}'");
const errorsOf = ({ annotations }: Seen) =>
  annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');
const startService = () =>
  output('runner', 'docker run -d --stop-timeout 1 --name service --restart no registry:3 >/dev/null');
const isServing = async () =>
  (await output('runner', "docker inspect -f '{{.State.Running}}' service")) === 'true';

test('with containers it is refused, before anything is changed', async () => {
  await startService();
  const before = [await pid(), await file(), await accepted()];
  expect(errorsOf(await action(inputs))).toMatch(/^Runner daemon needs a restart: .*`?restart-runner/);
  expect([await pid(), await file(), await accepted()]).toEqual(before);
  expect(await isServing()).toBe(true);
});

test('without containers it is restarted; the registries of the owner stay accepted, and the file is put back', async () => {
  const before = await pid();
  const seen = await succeeding(inputs);
  expect(await served('registry-1', ['test:latest'])).toEqual({ 'test:latest': seen.outputs.digest });
  expect(await pid()).not.toBe(before);
  expect(await accepted()).toContain('10.9.9.9:5000');
  expect(await file()).toBe(THEIRS);
});

test('with containers too, where restart-runner says so', async () => {
  await startService();
  const before = await pid();
  await succeeding({ ...inputs, 'restart-runner': 'true' });
  expect(await pid()).not.toBe(before);
  expect(await isServing()).toBe(false);
  expect(await file()).toBe(THEIRS);
});

test('a unit that was edited since the daemon started: not restarted, as nobody knows what would start', async () => {
  await output('runner', `printf '[Service]\\nEnvironment=A=b\\n' >${DROP_IN}; systemctl daemon-reload`);
  await restartDocker('runner');
  await output('runner', `sed -i 's/A=b/A=c/' ${DROP_IN}; touch -d '1 minute' ${DROP_IN}`);
  const before = await pid();
  expect(errorsOf(await action(inputs))).toMatch(/^Runner daemon not configured: .*was not restarted/);
  expect(await pid()).toBe(before);
  expect(await file()).toBe(THEIRS);
});

test('a restart that the daemon does not survive: the file is put back, and the daemon runs again', async () => {
  await output(
    'runner',
    `printf '[Service]\\nExecStartPre=/bin/sh -c "! grep -q ${ip} ${FILE}"\\nRestart=no\\n' >${DROP_IN}
     systemctl daemon-reload`,
  );
  await restartDocker('runner');
  expect(errorsOf(await action(inputs))).toMatch(
    /^Runner daemon not configured: .*did not come back from a restart with it; its file was put back as it was, and the daemon was started again/,
  );
  expect(await file()).toBe(THEIRS);
  await waitFor('runner', 'docker info >/dev/null 2>&1');
  expect(await accepted()).toContain('10.9.9.9:5000');
});
