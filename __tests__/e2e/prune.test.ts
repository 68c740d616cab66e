import { setTimeout as sleep } from 'node:timers/promises';
import { action, environment, lab, output, type Seen, succeeding } from './lab';
import { basics, ownLogin } from './machines';
import { bytesOnDisk, IMAGE, INDEX, type Stored, StoredImages } from './stored-images';

// What a policy keeps is served in full afterwards, and nothing else is there; judged by the registry's answers and by the
// disk, against what was put there.

jest.setTimeout(300_000);

/** An image that was put there, and whether it is to be there after the prune. */
interface Expected {
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
  readonly stored: Stored;
  readonly stays: boolean;
}

let inputs: Record<string, string>;
let url: string;
const expected: Expected[] = [];
let inUse: string;

const POLICY = {
  repositories: 'team/* keep-newest=3 keep-tags=v*,~1.4\nscratch/** keep-newest=0\nmany/** keep-within=30d',
};

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset', 'registry-1');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  url = `http://${LAB_INSTANCE_IP}:5000/v2`;
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), 'source-ranges': `runner,${host}` };
  await succeeding({ ...inputs, mode: 'bootstrap' });
});

const prune = (policy: Record<string, string>) => action({ ...inputs, mode: 'prune', ...policy });

interface Held {
  readonly seen: Seen;
  /** The longest that a client waited for an answer, in milliseconds. */
  readonly waited: number;
  /** Questions that were asked while pushes were held, and those of them that were answered before they went on. */
  readonly asked: number;
  readonly answered: number;
}

/** What pushing clients see of a prune: they ask whether there is a layer, again and again, from here and on the instance. */
async function pruneWhileAsking(policy: Record<string, string>): Promise<Held> {
  const layer = `ask/er/blobs/sha256:${'0'.repeat(64)}`;
  const state = { isOver: false, waited: 0 };
  const asking = (async () => {
    while (!state.isOver) {
      const started = Date.now();
      const answer = await get(layer, 'HEAD');
      state.waited = Math.max(state.waited, Date.now() - started);
      if (answer.status !== 404) throw new Error(`it is answered with ${answer.status}`);
      await sleep(20);
    }
  })();
  await output('registry-1', 'rm -f /tmp/asked-enough');
  const counting = output(
    'registry-1',
    `held=/proc/$(docker inspect -f '{{.State.Pid}}' gce-registry-front-1)/root/run/front/held asked=0 answered=0
     until [ -e /tmp/asked-enough ]; do
       [ -e $held ] || { sleep 0.01; continue; }
       curl -sI -o /dev/null http://127.0.0.1:5000/v2/${layer}
       asked=$((asked + 1))
       # Pushes go on a moment before that is taken away.
       sleep 0.1
       [ ! -e $held ] || answered=$((answered + 1))
     done
     echo $asked $answered`,
  );
  const seen = await prune(policy);
  state.isOver = true;
  await output('registry-1', 'touch /tmp/asked-enough');
  const [asked = 0, answered = 0] = (await counting).split(' ').map(Number);
  await asking;
  return { seen, waited: state.waited, asked, answered };
}

function expectHeld({ seen: { summary }, waited, asked, answered }: Held): void {
  expect(summary).toMatch(/pushes were held for [0-9.]+ s/);
  expect(asked).toBeGreaterThan(0);
  expect(answered).toBe(0);
  expect(waited).toBeLessThan(10_000);
}

/** `Accept` of any manifest. */
const get = (path: string, method = 'GET') =>
  fetch(`${url}/${path}`, { method, headers: { accept: `${IMAGE}, ${INDEX}` } });

/** Some requests at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function expectServed(): Promise<void> {
  const wrong: string[] = [];
  await each(expected, async ({ repository, reference, stored, stays }) => {
    const answer = await get(`${repository}/manifests/${reference}`);
    const body = await answer.arrayBuffer();
    const digest = answer.headers.get('docker-content-digest');
    if (stays ? digest !== stored.digest || body.byteLength === 0 : answer.status !== 404)
      wrong.push(`${repository} ${reference}: ${answer.status} ${digest}`);
  });
  const blobs = new Map(
    expected.flatMap(({ repository, stored, stays }) =>
      stays ? stored.blobs.map((blob) => [blob, repository] as const) : [],
    ),
  );
  await each([...blobs], async ([blob, repository]) => {
    const path = `${repository}/blobs/${blob}`;
    const found = await get(path, 'HEAD');
    if (found.status !== 200 && (await get(`${repository}/manifests/${blob}`, 'HEAD')).status !== 200)
      wrong.push(`${path}: ${found.status}`);
  });
  expect(wrong).toEqual([]);
}

describe('40 repositories, 1,000 tags, 2,000 manifests, 12,000 blobs', () => {
  let seen: Seen;
  let before: number;

  beforeAll(async () => {
    const store = new StoredImages();
    const base = store.layer(200_000);
    const layers = () => [base, ...Array.from({ length: 4 }, () => store.layer(2000))];
    const put = (repository: string, tag: string, stored: Stored, daysAgo: number, stays: boolean) => {
      store.tag(repository, tag, stored, daysAgo);
      expected.push({ repository, reference: tag, stored, stays });
    };
    const kinds = ['team', 'scratch', 'many/of/them'];
    for (let number = 0; number < 40; number += 1) {
      const kind = kinds[number % 3];
      const repository = `${kind}/r${number}`;
      for (let age = 0; age < 25; age += 1) {
        const daysAgo = 1 + age * 2.5;
        const tag =
          age === 20 ? 'latest' : age === 15 ? 'v0' : age === 16 ? '1.4.2' : age === 17 ? '2.0.0' : `t${age}`;
        const kept =
          tag === 'latest' ||
          (kind === 'team' && (age < 3 || tag === 'v0' || tag === '1.4.2')) ||
          (kind === 'many/of/them' && daysAgo < 30);
        const isIndex = age % 5 === 1;
        const children = [
          store.image(repository, layers(), daysAgo),
          store.image(repository, layers(), daysAgo),
        ];
        const image = isIndex ? store.index(repository, children, daysAgo) : (children[0] as Stored);
        put(repository, tag, image, daysAgo, kept);
        if (isIndex) {
          for (const child of children)
            expected.push({ repository, reference: child.digest, stored: child, stays: kept });
        } else {
          // Nothing names it: it goes with its age, where it is no longer within.
          const stays = kind === 'many/of/them' && daysAgo < 30;
          expected.push({
            repository,
            reference: String(children[1]?.digest),
            stored: children[1] as Stored,
            stays,
          });
        }
        if (age % 5 === 2) {
          const name = `sha256-${image.digest.slice(7)}.sig`;
          put(repository, name, store.image(repository, [store.layer(300)], daysAgo), daysAgo, kept);
        }
        if (age % 5 === 3) {
          const about = { subject: store.descriptor(image.digest, IMAGE) };
          const sbom = store.image(repository, [store.layer(300)], daysAgo, about);
          expected.push({ repository, reference: sbom.digest, stored: sbom, stays: kept });
        }
      }
    }
    const pinned = store.image('scratch/pinned', layers(), 100);
    inUse = pinned.digest;
    put('scratch/pinned', 'old', pinned, 100, true);
    put('scratch/pinned', 'older', store.image('scratch/pinned', layers(), 101), 101, false);
    put('other/none', 'ancient', store.image('other/none', layers(), 1000), 1000, true);
    put('a/b/c/d/e/f/g/h/i', 'deep', store.image('a/b/c/d/e/f/g/h/i', layers(), 1000), 1000, true);
    put('scratch/gone/wholly', 'x', store.image('scratch/gone/wholly', layers(), 50), 50, false);
    await store.put();
    before = await bytesOnDisk('registry-1');
  });

  test('a dry run shows each tag with its reason, and nothing goes', async () => {
    const key = await ownLogin();
    const dry = await succeeding({
      ...inputs,
      ...key,
      mode: 'prune',
      'dry-run': 'true',
      ...POLICY,
      'in-use': inUse,
    });
    expect(dry.maskedLog).toContain('- scratch/pinned:older goes');
    expect(dry.maskedLog).toContain('scratch/pinned:old stays: the same image stays: it is in use');
    expect(dry.summary).toContain('would come free');
    expect(dry.outputs).toMatchObject({ deleted: '0', 'freed-bytes': '0', changed: 'false' });
    expect(await bytesOnDisk('registry-1')).toBe(before);
  });

  test('what the policy keeps is served in full, and nothing else; the bytes are those of the disk', async () => {
    const both = await pruneWhileAsking({ ...POLICY, 'in-use': `app@${inUse}` });
    seen = both.seen;
    expectHeld(both);
    expect([seen.exitCode, seen.annotations.filter(({ level }) => level === 'error')]).toEqual([0, []]);
    const freed = before - (await bytesOnDisk('registry-1'));
    expect(Math.abs(Number(seen.outputs['freed-bytes']) / freed - 1)).toBeLessThan(0.01);
    expect(Number(seen.outputs.deleted)).toBe(
      expected.filter(({ reference, stays }) => !stays && !reference.startsWith('sha256:')).length,
    );
    await expectServed();
    const { repositories } = (await (await get('_catalog?n=1000')).json()) as { repositories: string[] };
    expect(repositories).not.toContain('scratch/gone/wholly');
    expect(repositories).toContain('a/b/c/d/e/f/g/h/i');
  });

  test('right after it another one holds pushes as well', async () => {
    const store = new StoredImages();
    for (const tag of ['one', 'other']) {
      store.tag('scratch/again', tag, store.image('scratch/again', [store.layer(2000)], 50), 50);
    }
    await store.put();
    const both = await pruneWhileAsking({ ...POLICY, 'in-use': inUse });
    expect(both.seen.outputs.deleted).toBe('2');
    expectHeld(both);
  });

  test('a second prune changes nothing', async () => {
    const again = await prune({ ...POLICY, 'in-use': inUse });
    expect(again.outputs).toMatchObject({ changed: 'false', deleted: '0', 'freed-bytes': '0' });
  });
});
