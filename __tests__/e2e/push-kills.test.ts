import { localTags, randomImage, removeImages } from './images';
import { action, lab, output, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, restartDocker, served } from './machines';
import { uploadBegun } from './wire';

/** The runner's Docker daemon restarted, and the registry killed, while megabytes of an image are under way. */
jest.setTimeout(300_000);

const IMAGE = 'kills/image:1';
let inputs: Record<string, string>;
let runner: RunnerSnapshot;
let tags: readonly string[];

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset', 'registry-1');
  inputs = { ...(await basics()), image: IMAGE };
  await succeeding({ ...inputs, mode: 'bootstrap' });
});
beforeEach(async () => {
  await randomImage(IMAGE, 3, 10);
  [runner, tags] = [await snapshotRunner(), await localTags()];
  // So that there is a middle of the push: some megabytes a second.
  await slowDown(200);
});
afterEach(async () => {
  await lab('fault', 'clear');
  await expectNothingLeft(runner);
  expect(await localTags()).toEqual(tags);
});
afterAll(async () => {
  await lab('fault', 'clear');
  await removeImages(IMAGE);
});

const slowDown = (ms: number) => lab('fault', 'slow-network', String(ms));

const CONTAINER = 'docker ps --all --quiet --filter label=com.docker.compose.service=registry';

/** How often Docker has started the registry again by itself. */
const restarts = async () =>
  Number(await output('registry-1', `docker inspect --format '{{.RestartCount}}' $(${CONTAINER})`));

test('the daemon of the runner restarted: pushed again', async () => {
  // A daemon that is to end lets what it is at come to its end for some seconds, and this push must not.
  await randomImage(IMAGE, 3, 50);
  await slowDown(400);
  const running = succeeding({ ...inputs, tags: 'kills/daemon:1' });
  await uploadBegun('kills/daemon');
  await restartDocker('runner');
  await slowDown(1);
  const seen = await running;
  expect(seen.maskedLog).toMatch(/docker push \S+ failed \(.*\); again in 1 s, for 3 min at most/);
  expect(await served('registry-1', ['kills/daemon:1'])).toEqual({ 'kills/daemon:1': seen.outputs.digest });
});

test('the registry crashed: Docker starts it again, and the push ends well', async () => {
  const running = succeeding({ ...inputs, tags: 'kills/crash:1' });
  await uploadBegun('kills/crash');
  await output('registry-1', `kill -KILL "$(docker inspect --format '{{.State.Pid}}' $(${CONTAINER}))"`);
  await slowDown(1);
  const seen = await running;
  expect(await restarts()).toBeGreaterThan(0);
  expect(await served('registry-1', ['kills/crash:1'])).toEqual({ 'kills/crash:1': seen.outputs.digest });
});

test('docker kill of the registry, after which Docker leaves it dead: the run sets it up again', async () => {
  const running = succeeding({ ...inputs, tags: 'kills/killed:1' });
  await uploadBegun('kills/killed');
  await output('registry-1', `docker kill $(${CONTAINER})`);
  await slowDown(1);
  const seen = await running;
  expect(await restarts()).toBe(0);
  expect(seen.outputs.changes).toContain('stopped (exit code 137)');
  expect(seen.maskedLog).toContain('Looking whether the registry runs');
  expect(await served('registry-1', ['kills/killed:1'])).toEqual({ 'kills/killed:1': seen.outputs.digest });
});

test('docker kill of the registry under mode push, which sets nothing up: an error, and the next run converges', async () => {
  await slowDown(1);
  await output('registry-1', `docker kill $(${CONTAINER})`);
  const seen = await action({ ...inputs, mode: 'push', tags: 'kills/push:1' });
  expect(seen.exitCode).toBe(1);
  expect(seen.maskedLog).toContain('Waiting for the registry, up to 31 s');
  expect(seen.annotations).toMatchObject([
    { level: 'error', message: expect.stringMatching(/^Registry not reachable: .*`mode: bootstrap`/) },
  ]);
  await lab('fault', 'clear');
  const next = await succeeding({ ...inputs, tags: 'kills/push:1' });
  expect(await served('registry-1', ['kills/push:1'])).toEqual({ 'kills/push:1': next.outputs.digest });
});
