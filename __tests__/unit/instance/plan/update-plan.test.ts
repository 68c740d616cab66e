import fc from 'fast-check';
import type { Facts } from '../../../../src/instance/facts/facts';
import type { UpdateFacts } from '../../../../src/instance/facts/updates';
import type { Desired } from '../../../../src/instance/plan/desired';
import { movingTags, newerDigest } from '../../../../src/instance/plan/newer';
import { planInstance } from '../../../../src/instance/plan/plan';
import { converged, DESIRED } from '../example';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const UPDATE: Desired = { ...DESIRED, update: true };
const NOTHING_NEWER: UpdateFacts = {
  tags: [DESIRED.registry.image, DESIRED.registry.frontImage, String(DESIRED.registry.uiImage)].map(
    (image) => ({
      image,
      digest: digest('a'),
      trouble: '',
    }),
  ),
  packages: [],
  listsAge: 3600,
  packagesAge: 0,
  updateAge: null,
};

/** All containers are made from an image of this digest. */
function madeFrom(letter: string, changes: Partial<UpdateFacts> = {}, more: Partial<Facts> = {}): Facts {
  return {
    ...converged(),
    images: [{ id: 'sha256:1', digests: [`any@${digest(letter)}`], created: '', pulled: '' }],
    updates: { ...NOTHING_NEWER, ...changes },
    ...more,
  };
}

const kinds = (desired: Desired, facts: Facts) =>
  planInstance(desired, facts).steps.map(({ action }) => action.kind);
const why = (facts: Facts) => planInstance(UPDATE, facts).steps[0]?.change.why;
const engine = (from: string, to: string, name = 'docker-ce') => ({
  packages: [{ name, from, to, security: false }],
});

test.each<[string, Desired, Facts, readonly string[]]>([
  ['all as at the registry', UPDATE, madeFrom('a'), []],
  ['all newer', UPDATE, madeFrom('b'), ['pull-images', 'start-containers']],
  ['all newer, and no update asked for', DESIRED, madeFrom('b'), []],
  ['nothing was looked up', UPDATE, converged(), []],
  ['a newer engine', UPDATE, madeFrom('a', engine('5:28.0', '5:28.1')), ['upgrade-packages']],
  ['a newer editor, which is none of ours', UPDATE, madeFrom('a', engine('1', '2', 'vim')), []],
  ['lists of yesterday', UPDATE, madeFrom('a', { listsAge: 86_400 }), ['upgrade-packages']],
  ['no lists at all', UPDATE, madeFrom('a', { listsAge: null }), ['upgrade-packages']],
  [
    'an engine of no package',
    UPDATE,
    madeFrom('a', { listsAge: null }, { packages: new Map([['openssl', '1']]) }),
    [],
  ],
  ['a change that was cut off', DESIRED, { ...converged(), openChange: true }, ['start-containers']],
])('%s', (_, desired, facts, expected) => {
  expect(kinds(desired, facts)).toEqual(expected);
});

test('one image is newer: it alone is pulled, and its container alone made anew', () => {
  const tags = NOTHING_NEWER.tags.map((tag) =>
    tag.image === 'registry:3' ? { ...tag, digest: digest('c') } : tag,
  );
  const [pull, start] = planInstance(UPDATE, madeFrom('a', { tags })).steps.map(({ action }) => action);
  expect(pull).toEqual({ kind: 'pull-images', images: ['registry:3'] });
  expect(start).toMatchObject({ recreate: ['registry'], replacesRegistry: true, handOver: null });
});

test('what could not be looked up stays, and is named', () => {
  const tags = NOTHING_NEWER.tags.map((tag) => ({
    ...tag,
    digest: null,
    trouble: 'toomanyrequests: slow down',
  }));
  const plan = planInstance(UPDATE, madeFrom('b', { tags }));
  expect(plan.steps).toEqual([]);
  expect(plan.notes.join('\n')).toMatch(/registry:3 stays as it is.*toomanyrequests/);
  expect(planInstance(DESIRED, madeFrom('b', { tags })).notes).toEqual([]);
});

test('an image by its digest is not looked up, and is never behind', () => {
  const image = `registry@${digest('f')}`;
  expect(movingTags([{ image }, { image: 'caddy:2' }, { image: 'caddy:2' }])).toEqual(['caddy:2']);
});

test('with containerd’s store the id of an image is its digest', () => {
  const [container] = converged().containers;
  if (container === undefined) throw new Error('there is none');
  const facts = madeFrom('b');
  expect(newerDigest({ ...container, imageId: digest('a') }, facts)).toBeNull();
  expect(newerDigest({ ...container, imageId: digest('b') }, facts)).toBe(digest('a'));
});

const THEIRS = {
  containers: [
    ...converged().containers,
    ...converged()
      .containers.slice(0, 1)
      .map((each) => ({ ...each, name: 'theirs', project: '', service: '' })),
  ],
};

test.each<[string, Facts, RegExp]>([
  ['nobody else', madeFrom('a', engine('5:28.0', '5:28.1')), /the registry is away for some seconds$/],
  ['others', madeFrom('a', engine('5:28.0', '5:28.1'), THEIRS), /some seconds, and with it theirs$/],
  ['live-restore', madeFrom('a', engine('5:28.0.1', '5:28.0.2'), { ...THEIRS, liveRestore: true }), /go on$/],
  [
    'live-restore, and another release',
    madeFrom('a', engine('5:28.0.1', '5:29.1.0'), { ...THEIRS, liveRestore: true }),
    /go on, which Docker promises for patch releases alone$/,
  ],
  ['the client alone', madeFrom('a', engine('1', '2', 'docker-ce-cli'), THEIRS), /^update is true$/],
  [
    'nobody knows yet',
    madeFrom('a', { listsAge: null }, THEIRS),
    /where a newer engine is found .*with it theirs$/,
  ],
])('who is away while packages are upgraded: %s', (_, facts, expected) => {
  expect(why(facts)).toMatch(expected);
});

test('held packages are named, where an update is asked for', () => {
  const facts = madeFrom('a', {}, { heldPackages: ['docker-ce', 'vim'] });
  expect(planInstance(UPDATE, facts).notes).toEqual(['docker-ce 1: held by the owner, and left so']);
  expect(planInstance(DESIRED, facts).notes).toEqual([]);
});

test('one change of the stack: from its first file to its containers, and no other step', () => {
  const other = { ...DESIRED, registry: { ...DESIRED.registry, title: 'another', image: 'registry:2' } };
  const steps = planInstance(other, madeFrom('a', engine('1', '2'))).steps;
  const proven = steps.filter(({ proof }) => proof !== undefined).map(({ action }) => action.kind);
  expect(proven).toEqual(['write-file', 'write-file', 'start-containers']);
  expect(steps.find(({ action }) => action.kind === 'pull-images')?.proof).toBeUndefined();
  expect(steps.at(-1)?.proof?.map(({ service }) => service)).toEqual(['registry', 'ui']);
});

test('whatever is behind, a plan without an update has none of it, and one with it pulls what is behind alone', () => {
  const letter = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.tuple(letter, letter, letter), letter, (at, here) => {
      const tags = NOTHING_NEWER.tags.map((tag, index) => ({ ...tag, digest: digest(String(at[index])) }));
      const facts = madeFrom(here, { tags });
      expect(kinds(DESIRED, facts)).toEqual([]);
      const behind = tags.filter((tag) => tag.digest !== digest(here)).map(({ image }) => image);
      const pulled = planInstance(UPDATE, facts).steps.flatMap(({ action }) =>
        action.kind === 'pull-images' ? action.images : [],
      );
      expect([...pulled].sort()).toEqual([...behind].sort());
    }),
  );
});
