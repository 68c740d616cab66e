import { setTimeout as sleep } from 'node:timers/promises';
import {
  beginStory,
  converging,
  failing,
  hasPackage,
  lackImage,
  lackPackage,
  recovering,
  type Story,
} from './faults';
import { control, lab, output, shell } from './lab';
import { fingerprint } from './machines';

/**
 * Docker Hub and Docker's package repository fail: an instance that is set up does not mind; otherwise the run waits a
 * little, or ends with an error that names cause and remedy.
 */
jest.setTimeout(600_000);

let story: Story;

beforeAll(async () => {
  story = await beginStory();
});
afterAll(() => lab('fault', 'clear'));

/** A request that one of the upstreams answered. */
interface Request {
  readonly n: number;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

const UPSTREAMS = ['hub', 'hub-auth', 'hub-blobs', 'apt', 'github'];

/** What was asked of the upstreams, all of it or after entry `since` of the log. */
async function asked(since = 0): Promise<Request[]> {
  const all = await control<Request[]>('GET', `/log?after=${since}&service=all`);
  return all.filter(({ service }) => UPSTREAMS.includes(service));
}

async function lastEntry(): Promise<number> {
  return (await control<Request[]>('GET', '/log?after=0&service=all')).at(-1)?.n ?? 0;
}

/** Waits until an upstream has answered with this status since then. */
async function answered(status: number, since: number): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(200)) {
    if ((await asked(since)).some((request) => request.status === status)) return;
  }
  throw new Error(`no upstream answered ${status} within 120 s`);
}

test('an instance that is set up needs no upstream, and asks none', async () => {
  for (const fault of [
    'hub-down',
    'hub-rate-limit',
    'docker-repository-down',
    'docker-repository-bad-signature',
  ])
    await lab('fault', fault);
  const [before, since] = [await fingerprint(), await lastEntry()];
  expect((await converging(story)).outputs.changed).toBe('false');
  expect(await fingerprint()).toBe(before);
  expect(await asked(since)).toEqual([]);
  await lab('fault', 'clear');
});

test.each([
  ['hub-down', lackImage, /^Trying joxit\S+ again in 5 s \(try 2 of 4\)$/m],
  ['docker-repository-down', lackPackage, /^Fetching \S+gpg \(up to 60 s, with retries\)$/m],
])('%s for a while: the run waits, says so, and succeeds', async (fault, lack, words) => {
  await lack();
  await lab('fault', fault);
  const since = await lastEntry();
  const running = converging(story);
  const back = answered(503, since).then(() => lab('fault', 'clear'));
  const [{ outputs, maskedLog }] = await Promise.all([running, back]);
  expect(outputs.changed).toBe('true');
  expect(maskedLog).toMatch(words);
  expect((await converging(story)).outputs.changed).toBe('false');
});

test('hub-down for long: the run gives up, and says whose fault it is', async () => {
  await lackImage();
  await lab('fault', 'hub-down');
  const { message } = await failing(story, 'Upstream is down');
  expect(message).toMatch(/503 Service Unavailable.*registry-mirrors/);
  await recovering(story);
});

test('hub-rate-limit: no second try, and the remedy', async () => {
  await lackImage();
  await lab('fault', 'hub-rate-limit');
  const since = await lastEntry();
  const { message, seen } = await failing(story, 'Pull limit reached');
  expect(message).toMatch(/You have reached your unauthenticated pull rate limit.*registry-mirrors/);
  const refused = (await asked(since)).filter(({ status }) => status === 429);
  expect(seen.maskedLog).not.toMatch(/^Trying /m);
  // containerd asks again by itself, at once, a few times a request (retryRequest in core/remotes/docker/resolver.go).
  expect(new Set(refused.map(({ method }) => method))).toEqual(new Set(['GET']));
  expect(refused.length).toBeLessThanOrEqual(24);
  await recovering(story);
});

test('docker-repository-down for long: the run gives up, and says whose fault it is', async () => {
  await lackPackage();
  await lab('fault', 'docker-repository-down');
  const { message } = await failing(story, 'Upstream is down');
  expect(message).toMatch(/debian\/gpg +503 Service Unavailable/);
  expect(await hasPackage()).toBe(false);
  await recovering(story);
});

test('docker-repository-bad-signature: nothing is installed, and not tried for ever', async () => {
  await lackPackage();
  await lab('fault', 'docker-repository-bad-signature');
  const since = await lastEntry();
  const { message } = await failing(story, 'Wrong signature of a package source');
  expect(message).toContain('https://download.docker.com/linux/debian');
  expect(await hasPackage()).toBe(false);
  const lists = (await asked(since)).filter(({ path }) => /Release$/.test(path));
  expect(lists.length).toBeLessThanOrEqual(2);
  await recovering(story);
});

test('docker-repository-key-over-http: the key is not taken from there', async () => {
  await lackPackage();
  await lab('fault', 'docker-repository-key-over-http');
  const key = 'download.docker.com/linux/debian/gpg';
  expect(await output('registry-1', `curl -fsSL https://${key}`)).toContain('BEGIN PGP PUBLIC KEY BLOCK');
  expect(await output('registry-1', `curl -fsS http://${key}`)).toContain('BEGIN PGP PUBLIC KEY BLOCK');
  const { message } = await failing(story, "Docker's key could not be fetched");
  expect(message).toMatch(/docker-repository over HTTPS/);
  expect((await shell('registry-1', 'ls /etc/apt/keyrings/docker.asc')).status).not.toBe(0);
  expect(await hasPackage()).toBe(false);
  await recovering(story);
});
