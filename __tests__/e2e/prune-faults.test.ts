import { cutOff, type Kill } from './cutting-off';
import { action, environment, lab, output, type Seen, shell, succeeding, waitFor } from './lab';
import { basics, ownLogin, restartDocker } from './machines';
import { turns } from './scale';
import { bytesOnDisk, dataOf, type Stored, StoredImages } from './stored-images';

// A prune on a bad day: odd things on the disk, two at once, a full disk, and one that is cut off. Judged by what the registry
// serves, and by its disk.

jest.setTimeout(turns(300_000, 3_600_000));

let inputs: Record<string, string>;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset', 'registry-1');
  await environment();
  inputs = { ...(await basics()), ...(await ownLogin()), mode: 'bootstrap' };
  await succeeding(inputs);
});
afterAll(() => lab('fault', 'clear'));

const prune = (policy: Record<string, string>) => action({ ...inputs, mode: 'prune', ...policy });
const warningsOf = ({ annotations }: Seen) =>
  annotations.flatMap(({ level, message }) => (level === 'warning' ? [message] : []));
const errorsOf = ({ annotations }: Seen) =>
  annotations.flatMap(({ level, message }) => (level === 'error' ? [message] : []));

const ACCEPT = 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json';
/** The status of a path below `/v2/`, as the instance itself sees it. */
const status = (path: string) =>
  output(
    'registry-1',
    `curl -s -m 20 -o /dev/null -w '%{http_code}' -H 'Accept: ${ACCEPT}' http://127.0.0.1:5000/v2/${path}`,
  );

/** Of each of these tags, whether it is served with all of its blobs. */
async function whole(repository: string, stored: ReadonlyMap<string, Stored>): Promise<string[]> {
  const script = [...stored].map(
    ([tag, { blobs }]) =>
      `for path in manifests/${tag} ${blobs.map((blob) => `blobs/${blob}`).join(' ')}; do
         curl -fsS -m 20 -o /dev/null -H 'Accept: ${ACCEPT}' http://127.0.0.1:5000/v2/${repository}/$path 2>/dev/null || { echo ${tag} lacks $path; break; }
       done`,
  );
  const lacking = await output('registry-1', script.join('\n'));
  return lacking === '' ? [] : lacking.split('\n');
}

/** Some images of one repository, a day apart, the newest a day old. */
async function putRow(repository: string, tags: readonly string[]): Promise<Map<string, Stored>> {
  const store = new StoredImages();
  const base = store.layer(50_000);
  const row = tags.map((tag, age): [string, Stored] => {
    const image = store.image(repository, [base, store.layer(20_000)], age + 1);
    store.tag(repository, tag, image, age + 1);
    return [tag, image];
  });
  await store.put();
  return new Map(row);
}

test('without a policy nothing is deleted', async () => {
  const row = await putRow('plain/app', ['a', 'b', 'c']);
  const seen = await prune({});
  expect([seen.exitCode, seen.outputs.changed]).toEqual([0, 'false']);
  expect(await whole('plain/app', row)).toEqual([]);
});

test('odd things on the disk are named and left; the rest is pruned', async () => {
  const row = await putRow('odd/app', ['newest', 'older']);
  const store = new StoredImages();
  const [gone, child] = [
    store.image('odd/app', [store.layer(10)], 9),
    store.image('odd/app', [store.layer(10)], 9),
  ];
  const index = store.index('odd/app', [gone, child], 9);
  store.tag('odd/app', 'kept-index', index, 9);
  store.link('odd/app/_manifests/tags/empty/current', '', 9);
  store.tag('odd/app', 'nowhere', { digest: `sha256:${'e'.repeat(64)}` }, 9);
  store.link(`odd/app/_manifests/revisions/sha256/${'d'.repeat(64)}`, '', 9);
  const oldLayer = store.layer(70_000);
  const old = {
    schemaVersion: 1,
    name: 'odd/app',
    tag: 'kept-2016',
    fsLayers: [{ blobSum: oldLayer }],
    history: [],
  };
  store.tag('odd/app', 'kept-2016', { digest: store.manifest('odd/app', old, 9) }, 9);
  store.tag('odd/app', 'to-come', store.image('odd/app', [store.layer(10)], -400), -400);
  await store.put();
  const place = `${await dataOf('registry-1')}/docker/registry/v2`;
  await output(
    'registry-1',
    `rm -r ${place}/repositories/odd/app/_manifests/revisions/sha256/${gone.digest.slice(7)}`,
  );
  await putRow('stale/app', ['x', 'y']);
  const seen = await prune({
    'keep-newest': '2',
    'keep-tags': 'kept-*',
    repositories: 'stale/* keep-tags=v*\nmisspelt/* keep-newest=1',
  });
  expect([seen.exitCode, errorsOf(seen)]).toEqual([0, []]);
  expect(warningsOf(seen)).toEqual(
    expect.arrayContaining([
      'no repository fits misspelt/*',
      expect.stringMatching(/^stale\/app: all of its tags would go, so it is left as it is/),
      expect.stringMatching(/^odd\/app:empty cannot be read/),
      expect.stringMatching(/^odd\/app:nowhere cannot be read/),
    ]),
  );
  // Of the newest two one is of a time to come.
  expect(await whole('odd/app', new Map([...row].filter(([tag]) => tag === 'newest')))).toEqual([]);
  expect(
    await Promise.all(
      ['manifests/older', 'manifests/to-come', 'manifests/kept-index', `manifests/${child.digest}`].map(
        (path) => status(`odd/app/${path}`),
      ),
    ),
  ).toEqual(['404', '200', '200', '200']);
  expect(
    await output(
      'registry-1',
      `wc -c <${place}/blobs/sha256/${oldLayer.slice(7, 9)}/${oldLayer.slice(7)}/data`,
    ),
  ).toBe('70000');
  expect(await status('stale/app/manifests/x')).toBe('200');
  await output('registry-1', `rm -r ${place}/repositories/odd`);
});

test('two at once: each is well, and together they do it once', async () => {
  const row = await putRow('twice/app', ['a', 'b', 'c', 'd']);
  const both = await Promise.all([prune({ 'keep-newest': '2' }), prune({ 'keep-newest': '2' })]);
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await whole('twice/app', new Map([...row].slice(0, 2)))).toEqual([]);
  expect(await status('twice/app/manifests/c')).toBe('404');
});

test('with a disk that is full to the last byte it still gives space back', async () => {
  const row = await putRow('full/app', ['a', 'b', 'c', 'd']);
  await lab('fault', 'disk-full');
  try {
    const before = await bytesOnDisk('registry-1');
    const seen = await prune({ 'keep-newest': '1' });
    expect([seen.exitCode, errorsOf(seen)]).toEqual([0, []]);
    expect(await bytesOnDisk('registry-1')).toBeLessThan(before);
    expect(await whole('full/app', new Map([...row].slice(0, 1)))).toEqual([]);
    expect(await status('full/app/manifests/b')).toBe('404');
  } finally {
    await lab('fault', 'clear');
    await restartDocker('registry-1');
    await waitFor('registry-1', 'curl -fsS -o /dev/null http://127.0.0.1:5000/v2/');
  }
});

/** Places of the step, by the function before which it stands still. */
const PLACES = [
  'step_prune',
  'collect',
  'keep_twice',
  'hold_pushes',
  'take_out',
  'remove_emptied',
  'put_back_touched',
  'finish_prune',
  'let_pushes_go',
] as const;
const CUTS = turns<readonly (readonly [Kill, string])[]>(
  [
    ['power', 'put_back_touched'],
    ['script', 'take_out'],
  ],
  (['power', 'script', 'sshd', 'shell'] as const).flatMap((kill) =>
    PLACES.map((place) => [kill, place] as const),
  ),
);

describe.each(CUTS)('cut off by %s before %s', (kill, place) => {
  test('what stays is served all the time, pushes go on, and the next prune ends it', async () => {
    const repository = `cut/${kill}-${place.replaceAll('_', '-')}`;
    const row = await putRow(repository, ['a', 'b', 'c', 'd', 'e']);
    const stays = new Map([...row].slice(0, 2));
    const policy = { mode: 'prune', 'gc-window': '10s', repositories: 'cut/* keep-newest=2' };
    await cutOff({ ...inputs, ...policy }, { name: 'step_prune', argument: '' }, place, kill, {
      seconds: 60,
    });
    await lab('fault', 'clear');
    await waitFor('registry-1', 'curl -fsS -m 5 -o /dev/null http://127.0.0.1:5000/v2/');
    expect(await whole(repository, stays)).toEqual([]);
    // A push that is held goes on when the time is over, whoever is there to let it go.
    const upload = 'http://127.0.0.1:5000/v2/cut/push/blobs/uploads/';
    const { stdout } = await shell(
      'registry-1',
      `curl -s -m 30 -o /dev/null -w '%{http_code}' -X POST ${upload}`,
    );
    expect(stdout).toBe('202');
    const next = await prune(policy);
    expect([next.exitCode, errorsOf(next)]).toEqual([0, []]);
    expect(await whole(repository, stays)).toEqual([]);
    expect(await status(`${repository}/manifests/c`)).toBe('404');
    expect(await output('registry-1', `ls ${await dataOf('registry-1')}`)).toBe('docker');
    const again = await prune(policy);
    expect([again.exitCode, again.outputs.changed]).toEqual([0, 'false']);
  });
});
