import { randomImage, removeImages } from './images';
import { action, lab, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, served } from './machines';
import { struck } from './wire';

/** Something between runner and registry answers in its place, and lies: `verify` catches it. */
jest.setTimeout(300_000);

const IMAGE = 'lies/image:1';
let inputs: Record<string, string>;
let runner: RunnerSnapshot;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  await lab('fault', 'clear');
  await succeeding({ ...(await basics()), mode: 'bootstrap' });
  await randomImage(IMAGE, 2, 1);
  inputs = { ...(await basics()), image: IMAGE };
  runner = await snapshotRunner();
});
afterEach(async () => {
  await lab('fault', 'clear');
  await expectNothingLeft(runner);
});
afterAll(async () => {
  await lab('fault', 'clear');
  await removeImages(IMAGE);
});

test.each([
  ['wrong-digest', /it sent content with the digest [0-9a-f]{64}/],
  ['wrong-manifest', /Docker-Content-Digest is not the digest of what it sent/],
  ['wrong-content-type', /./],
  ['redirect', /it answered with a redirect \(status 307\)/],
  ['endless-body', /it sent more than the \d+ bytes expected/],
])('%s: the push is not taken for good', async (kind, says) => {
  await lab('fault', 'registry-lies', kind);
  const seen = await action({ ...inputs, tags: `lies/${kind}:1` });
  const { lies, elsewhere } = await struck();
  expect(lies).toBeGreaterThan(0);
  // What stands there is the true registry, so that following the redirect would have gone well.
  expect(elsewhere).toBe(0);
  expect(seen.exitCode).toBe(1);
  expect(seen.outputs.digest).toBeUndefined();
  expect(seen.annotations).toMatchObject([
    { level: 'error', message: expect.stringMatching(/^Registry answer not valid: /) },
  ]);
  expect(seen.annotations[0]?.message).toMatch(says);
  expect(seen.memoryMiB).toBeLessThan(200);
  expect(seen.seconds).toBeLessThan(120);

  await lab('fault', 'clear');
  const honest = await succeeding({ ...inputs, tags: `lies/${kind}:1` });
  expect(await served('registry-1', [`lies/${kind}:1`])).toEqual({
    [`lies/${kind}:1`]: honest.outputs.digest,
  });
});
