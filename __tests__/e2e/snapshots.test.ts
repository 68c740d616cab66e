import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { compute } from './compute';
import { cutOff } from './cutting-off';
import { type Gcloud, haveGcloud, openGcloud } from './gcloud';
import {
  action,
  control,
  environment,
  lab,
  mutations,
  output,
  type Seen,
  succeeding as succeedingAs,
} from './lab';
import { basics } from './machines';
import { turns } from './scale';
import { IMAGE, INDEX, type Stored, StoredImages } from './stored-images';

// The disk with the images is lost, and comes back from a snapshot: judged by what the registry serves, by the disks of the
// project, and by what gcloud shows.

jest.setTimeout(turns(300_000, 900_000));

const PATH = '/srv/registry';
/** In `npm run soak` alone. */
const whole = turns(test.skip, test);

const POLICY = 'registry-1-registry-snapshots';
const ZONE = 'zones/europe-west1-b';

interface Disk {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly resourcePolicies?: readonly string[];
  readonly users?: readonly string[];
}

/** The two roles of docs/security.md are enough for all of it. */
const ROLES = [
  ...readFileSync('docs/security.md', 'utf8').matchAll(/^gcloud iam roles .*--permissions=(\S+)$/gm),
];
const PERMISSIONS = [...ROLES.map(([, list]) => list), 'iam.serviceAccounts.actAs'].join(',');

let inputs: Record<string, string>;
let url: string;
let gcloud: Gcloud | null = null;
/** What the snapshot has. */
let stored: Put[] = [];
/** What the snapshot has, and nobody asks for, so that a prune takes it. */
const unused: Put[] = [];

interface Put {
  readonly repository: string;
  readonly image: Stored;
  readonly tag: string;
}

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  await lab('situation', 'data-disk', 'registry-1', PATH);
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  url = `http://${LAB_INSTANCE_IP}:5000/v2`;
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), mode: 'bootstrap', 'data-path': PATH, 'source-ranges': host };
  if (haveGcloud()) gcloud = await openGcloud();
});
afterAll(async () => {
  await lab('fault', 'clear');
  gcloud?.close();
});

const succeeding = (given: Record<string, string>): Promise<Seen> =>
  succeedingAs(given, ['--permissions', PERMISSIONS]);

const disks = async (): Promise<Disk[]> =>
  (await compute<{ items?: Disk[] }>('GET', `${ZONE}/disks`)).items ?? [];
const attached = async (): Promise<string[]> =>
  (await compute<{ disks: { deviceName: string }[] }>('GET', `${ZONE}/instances/registry-1`)).disks.map(
    ({ deviceName }) => deviceName,
  );
const disk = async (name: string): Promise<Disk | undefined> =>
  (await disks()).find((each) => each.name === name);
const policiesOf = async (name: string): Promise<string[]> =>
  ((await disk(name))?.resourcePolicies ?? []).map((each) => each.split('/').at(-1) ?? '');

/** What somebody does in the console, and waits for. */
async function change(method: string, path: string, body?: unknown): Promise<void> {
  const { name } = await compute<{ name: string }>(method, path, body);
  const scope = path.split('/').slice(0, 2).join('/');
  await compute('POST', `${scope}/operations/${name}/wait`);
}

/** The disk is detached, mounted as it is, and deleted. */
async function lose(name: string): Promise<void> {
  await change('POST', `${ZONE}/instances/registry-1/detachDisk?deviceName=${name}`);
  await change('DELETE', `${ZONE}/disks/${name}`);
  expect(await output('registry-1', `touch ${PATH}/probe 2>&1 || true`)).toContain('Input/output error');
}

/** Images with shared layers, and indexes of them, written to the registry's disk. */
async function putImages(): Promise<void> {
  const images = new StoredImages();
  for (const number of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const repository = `team/app-${number}`;
    const shared = images.layer(20_000);
    const both = [1, 2].map(() => images.image(repository, [shared, images.layer(30_000)], 1));
    const index = images.index(repository, both, 1);
    images.tag(repository, 'latest', index, 1);
    stored.push({ repository, image: { ...index, blobs: [] }, tag: 'latest' });
    const old = images.image(repository, [images.layer(10_000)], 1);
    images.tag(repository, 'old', old, 1);
    unused.push({ repository, image: old, tag: 'old' });
    for (const image of both) stored.push({ repository, image, tag: image.digest });
  }
  await images.put('registry-1', PATH);
}

/** Each manifest by tag and digest, and each blob of it. */
async function expectAllServed(all = stored): Promise<void> {
  const headers = { accept: `${IMAGE}, ${INDEX}` };
  const wrong: string[] = [];
  for (const { repository, image, tag } of all) {
    for (const reference of new Set([tag, image.digest])) {
      const answer = await fetch(`${url}/${repository}/manifests/${reference}`, { headers });
      await answer.arrayBuffer();
      if (answer.headers.get('docker-content-digest') !== image.digest)
        wrong.push(`${repository}:${reference}`);
    }
    for (const blob of image.blobs) {
      const { status } = await fetch(`${url}/${repository}/blobs/${blob}`, { method: 'HEAD' });
      if (status !== 200) wrong.push(`${repository}@${blob}`);
    }
  }
  expect(wrong).toEqual([]);
}

const DAILY = { 'snapshot-schedule': 'daily 04:00', 'snapshot-keep-days': '7' };
const RESTORING = { ...DAILY, 'data-disk-snapshot': 'latest' };

test('a schedule is made and put on the disk with the data; a second run changes nothing', async () => {
  await succeeding({ ...inputs, ...DAILY });
  expect(await policiesOf('registry-1-data')).toEqual([POLICY]);
  expect(await policiesOf('registry-1')).toEqual([]);
  const { outputs, api } = await succeeding({ ...inputs, ...DAILY });
  expect(outputs.changed).toBe('false');
  expect(api.filter(({ method, path }) => method !== 'GET' && /disk|olic/i.test(path))).toEqual([]);
});

test('gcloud shows it as its users know it; what was changed there is put right', async () => {
  if (gcloud === null) return;
  const region = '--region=europe-west1';
  const show = () =>
    gcloud?.object<{ snapshotSchedulePolicy: object }>(
      ...['compute', 'resource-policies', 'describe', POLICY, region],
    );
  const wanted = {
    schedule: { dailySchedule: { daysInCycle: 1, startTime: '04:00' } },
    retentionPolicy: { maxRetentionDays: 7, onSourceDiskDelete: 'KEEP_AUTO_SNAPSHOTS' },
    snapshotProperties: { labels: { 'gce-registry-instance': 'registry-1' } },
  };
  expect((await show())?.snapshotSchedulePolicy).toMatchObject(wanted);
  await gcloud.ok(
    ...['compute', 'resource-policies', 'update', 'snapshot-schedule', POLICY, region],
    ...['--hourly-schedule=4', '--start-time=01:00', '--max-retention-days=1'],
  );
  await gcloud.ok(
    ...['compute', 'disks', 'remove-resource-policies', 'registry-1-data', `--resource-policies=${POLICY}`],
  );
  const { outputs } = await succeeding({ ...inputs, ...DAILY });
  expect(JSON.parse(String(outputs.changes))).toMatchObject([
    { target: 'machine', from: 'at other times, kept 1 days', to: 'daily 04:00, kept 7 days' },
    { target: 'machine', from: null, to: POLICY },
  ]);
  expect((await show())?.snapshotSchedulePolicy).toMatchObject(wanted);
  expect(await policiesOf('registry-1-data')).toEqual([POLICY]);
});

test('a backup is a snapshot of the disk with the data, which gcloud lists', async () => {
  await putImages();
  await expectAllServed();
  const dry = await action({ ...inputs, mode: 'backup', 'dry-run': 'true' });
  expect(dry.annotations.map(({ message }) => message).join()).toContain('A dry run needs a key');
  expect(mutations(dry)).toEqual([]);
  const { outputs, summary } = await succeeding({ ...inputs, mode: 'backup' });
  expect(outputs.snapshot).toMatch(/^registry-1-registry-\d{8}-\d{6}$/);
  expect(summary).toContain(outputs.snapshot);
  expect(await compute('GET', `global/snapshots/${outputs.snapshot}`)).toMatchObject({
    status: 'READY',
    labels: { 'gce-registry-instance': 'registry-1', 'gce-registry-kind': 'data' },
  });
  const listed = await gcloud?.ok('compute', 'snapshots', 'list');
  if (listed !== undefined)
    expect(listed).toMatch(new RegExp(`${outputs.snapshot} .*europe-west1-b/disks/registry-1-data +READY`));
});

test('where the data is, nothing is restored', async () => {
  const { outputs } = await succeeding({ ...inputs, ...RESTORING });
  expect(outputs.changed).toBe('false');
  expect((await disks()).map(({ name }) => name).sort()).toEqual(['registry-1', 'registry-1-data']);
});

test('the disk is lost: one run, and all images of the snapshot are served', async () => {
  await lose('registry-1-data');
  const { maskedLog } = await succeeding({ ...inputs, ...RESTORING });
  await expectAllServed();
  expect(maskedLog).toContain('all that the 32 manifests of 8 repositories refer to is there');
  const [, made] = await attached();
  expect((await disks()).map(({ name }) => name).sort()).toEqual(['registry-1', made].sort());
  expect(await policiesOf(String(made))).toEqual([POLICY]);
  expect((await succeeding({ ...inputs, ...RESTORING })).outputs.changed).toBe('false');
});

/** After a boot too, by its own name: a disk from a snapshot has the UUID of the one before. */
async function expectMounted(name: string): Promise<void> {
  const device = await output('registry-1', `readlink -f /dev/disk/by-id/google-${name}`);
  const [first = '', ...others] = (await output('registry-1', `findmnt -n -o SOURCE -M ${PATH}`)).split('\n');
  expect([first, others]).toEqual([device, []]);
}

test('a snapshot by name takes the place of newer data, whose disk is kept', async () => {
  const [snapshot] = (await compute<{ items: { name: string }[] }>('GET', 'global/snapshots')).items;
  const [, before] = await attached();
  await output('registry-1', `rm -r ${PATH}/docker/registry/v2/repositories/team/app-1`);
  await succeeding({ ...inputs, ...DAILY, 'data-disk-snapshot': String(snapshot?.name) });
  // The disk before is from this snapshot too: by name it is done, and stays done.
  expect((await attached())[1]).toBe(before);
  const prune = { ...inputs, mode: 'prune', 'keep-newest': '0', 'snapshot-before': 'true' };
  const { outputs } = await succeeding(prune);
  expect(outputs.snapshot).toMatch(/^registry-1-registry-/);
  expect(outputs.deleted).toBe('7');
  stored = stored.filter(({ repository }) => repository !== 'team/app-1');
  const back = { ...inputs, ...DAILY, 'data-disk-snapshot': String(outputs.snapshot) };
  const restored = await succeeding(back);
  await expectAllServed([...stored, ...unused.filter(({ repository }) => repository !== 'team/app-1')]);
  expect(restored.maskedLog).toContain(`gcloud compute disks delete ${before}`);
  expect((await disks()).map(({ name }) => name)).toContain(before);
  expect(await policiesOf(String(before))).toEqual([]);
  expect((await succeeding(back)).outputs.changed).toBe('false');
  await change('DELETE', `${ZONE}/disks/${before}`);
});

describe('killed', () => {
  afterEach(() => lab('fault', 'clear'));

  /** The runner dies when Google has been asked for this. */
  async function dieAt(path: RegExp): Promise<void> {
    const calls = () => control<{ n: number; method: string; path: string }[]>('GET', '/log?after=0');
    const last = (await calls()).at(-1)?.n ?? 0;
    await lab('fault', 'operation-slow', '2');
    const run = action({ ...inputs, ...RESTORING }, ['--no-post']);
    let isOver = false;
    run.then(() => {
      isOver = true;
    });
    const isThere = async () =>
      (await calls()).some((call) => call.n > last && call.method === 'POST' && path.test(call.path));
    while (!isOver && !(await isThere())) await sleep(50);
    expect(isOver).toBe(false);
    await output('runner', "pkill -KILL -f 'node .*/dist/index.js'");
    await run;
    await lab('fault', 'clear');
  }

  const lost = async (): Promise<void> => {
    const [, name] = await attached();
    await lose(String(name));
  };

  async function expectEnded(): Promise<void> {
    await succeeding({ ...inputs, ...RESTORING });
    await expectAllServed();
    const [, made, ...others] = await attached();
    expect(others).toEqual([]);
    expect((await disks()).filter(({ labels }) => labels !== undefined).map(({ name }) => name)).toEqual([
      made,
    ]);
    expect((await disk(String(made)))?.labels?.['gce-registry-state']).toBe('restored');
    expect((await succeeding({ ...inputs, ...RESTORING })).outputs.changed).toBe('false');
  }

  const requests = [/\/disks(\?|$)/, /attachDisk/, /setLabels/, /addResourcePolicies/];
  whole.each(requests)(
    'when Google was asked for %s: the next run ends it, with one disk',
    async (request) => {
      await lost();
      await dieAt(request);
      await expectEnded();
    },
  );

  test.each(turns([20], [1, 5, 10, 15, 20, 25, 30, 35, 40, 45]))(
    'by power at command %i of the mounting: likewise',
    async (command) => {
      await lost();
      const step = { name: 'step_mount_disk', argument: '' };
      await cutOff({ ...inputs, ...RESTORING }, step, command, 'power', { seconds: 60 });
      await lab('fault', 'clear');
      await expectEnded();
      await lab('fault', 'power-cut');
      await expectMounted(String((await attached())[1]));
    },
  );
});

whole('the whole VM is lost: one run on a bare one', async () => {
  await lab('reset', 'registry-1');
  await succeeding({ ...inputs, ...RESTORING });
  await expectAllServed();
});

test('a teardown takes the schedule, and leaves the snapshots', async () => {
  const before = await compute<{ items: { name: string }[] }>('GET', 'global/snapshots');
  const { maskedLog } = await succeeding({ ...inputs, mode: 'teardown' });
  expect(maskedLog).toContain('snapshots stay: registry-1-registry-');
  expect((await disks()).flatMap(({ resourcePolicies }) => resourcePolicies ?? [])).toEqual([]);
  const policies = await compute<{ items?: object[] }>('GET', 'regions/europe-west1/resourcePolicies');
  expect(policies.items ?? []).toEqual([]);
  expect(await compute('GET', 'global/snapshots')).toEqual(before);
  expect((await succeeding({ ...inputs, mode: 'teardown' })).outputs.changed).toBe('false');
});

whole(
  'data on the boot disk has its schedule and snapshots there; restoring from one names the way',
  async () => {
    const there = { ...inputs, 'data-path': '/srv/images' };
    const boot = Object.fromEntries(Object.entries(inputs).filter(([name]) => name !== 'data-path'));
    await succeeding({ ...boot, ...DAILY });
    expect(await policiesOf('registry-1')).toEqual([POLICY]);
    const { outputs } = await succeeding({ ...boot, mode: 'backup' });
    const refused = await action({ ...there, 'data-disk-snapshot': String(outputs.snapshot) });
    expect(refused.exitCode).toBe(1);
    expect(refused.annotations.map(({ message }) => message).join()).toContain('--disk=name=NAME,boot=yes');
  },
);
