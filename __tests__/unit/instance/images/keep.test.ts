import fc from 'fast-check';
import { keptOf } from '../../../../src/instance/images/keep';
import type { Retention, RetentionRule } from '../../../../src/settings/types';
import { contentsWith, digestOf, type ExampleManifest, NOW } from './example';

const RULE: RetentionRule = { repositories: '**', newest: null, within: null, tags: [] };
const policy = (rule: Partial<RetentionRule>, inUse: readonly string[] = []): Retention => ({
  rules: [{ ...RULE, ...rule }],
  inUse: inUse.map(digestOf),
  windowSeconds: 600,
});
const glob = (pattern: string) => ({ kind: 'glob', glob: pattern }) as const;
const range = (words: string) => ({ kind: 'range', range: words }) as const;

type Tags = Readonly<Record<string, readonly [manifest: string, daysAgo: number]>>;

/** Names of the tags that stay. */
function tagsOf(
  retention: Retention,
  tags: Tags,
  manifests: Readonly<Record<string, ExampleManifest>> = {},
  asked: Readonly<Record<string, number>> = {},
): string[] {
  const own = Object.fromEntries(Object.values(tags).map(([name]) => [name, {}]));
  const contents = contentsWith(
    { 'team/app': { tags, manifests: { ...own, ...manifests } } },
    { asked: new Map(Object.entries(asked).map(([name, hours]) => [digestOf(name), NOW - hours * 3600])) },
  );
  const [kept] = keptOf(retention, contents);
  return [...(kept?.tags ?? [])].flatMap(([tag, why]) => (why === null ? [] : [tag])).sort();
}

const FIVE: Tags = { a: ['A', 1], b: ['B', 2], c: ['C', 3], d: ['D', 4], e: ['E', 5] };

test.each<[string, Retention, Tags, string[]]>([
  ['the newest', policy({ newest: 2 }), FIVE, ['a', 'b']],
  ['those within', policy({ within: 3.5 * 86_400 }), FIVE, ['a', 'b', 'c']],
  ['by a glob', policy({ tags: [glob('[de]')] }), FIVE, ['d', 'e']],
  ['if any says so', policy({ newest: 1, within: 2.5 * 86_400, tags: [glob('e')] }), FIVE, ['a', 'b', 'e']],
  [
    'by a range of versions, with or without v, and short ones',
    policy({ tags: [range('>=1.4.0 <2.0.0-0')] }),
    {
      '1.4': ['A', 9],
      'v1.5.1': ['B', 9],
      '1.3.9': ['C', 9],
      '2.0.0': ['D', 9],
      main: ['E', 9],
      '1.4.2-rc.1': ['F', 9],
    },
    ['1.4', '1.4.2-rc.1', 'v1.5.1'],
  ],
  ['latest, which does not count', policy({ newest: 1 }), { ...FIVE, latest: ['L', 50] }, ['a', 'latest']],
  [
    'what shares a digest with one that stays',
    policy({ newest: 1 }),
    { ...FIVE, old: ['A', 90] },
    ['a', 'old'],
  ],
  ['a time to come is the newest', policy({ newest: 1 }), { ...FIVE, z: ['Z', -400] }, ['z']],
  [
    'what was pushed within the last hours',
    policy({ newest: 1 }),
    { ...FIVE, n: ['N', 0.2], m: ['M', 0.1] },
    ['m', 'n'],
  ],
  ['what is in use', policy({ newest: 1 }, ['D']), FIVE, ['a', 'd']],
  ['all, where all would go', policy({ tags: [glob('v*')] }), FIVE, ['a', 'b', 'c', 'd', 'e']],
  ['none, where the rule says so', policy({ newest: 0 }), FIVE, []],
])('a tag stays: %s', (_, retention, tags, stays) => {
  expect(tagsOf(retention, tags)).toEqual(stays);
});

test('somebody asked for it within the last hours', () => {
  expect(tagsOf(policy({ newest: 1 }), FIVE, {}, { C: 1, D: 7 })).toEqual(['a', 'c']);
});

test('signatures by tag come and go with their image, and do not count', () => {
  const sign = (name: string) => `sha256-${digestOf(name).slice(7)}.sig`;
  const tags: Tags = {
    ...FIVE,
    [sign('A')]: ['SA', 0.9],
    [sign('E')]: ['SE', 0.8],
    [sign('X')]: ['SX', 5],
  };
  expect(tagsOf(policy({ newest: 2 }), tags)).toEqual(['a', 'b', sign('A')].sort());
});

/** Names of the manifests that stay, of those that are asked about. */
function manifestsOf(
  retention: Retention,
  tags: Tags,
  manifests: Readonly<Record<string, ExampleManifest>>,
): string[] {
  const [kept] = keptOf(retention, contentsWith({ 'team/app': { tags, manifests } }));
  return Object.keys(manifests)
    .filter((name) => kept?.manifests.get(digestOf(name)) !== null)
    .sort();
}

test('an index keeps its parts, an image what says something of it, also of that', () => {
  const manifests = {
    I: { children: ['P1', 'P2'] },
    P1: {},
    P2: {},
    SBOM: { subject: 'P1' },
    SIGNATURE: { subject: 'SBOM' },
    OLD: { children: ['P3'] },
    P3: {},
    'SBOM OF P3': { subject: 'P3' },
    ORPHAN: { subject: 'NOWHERE' },
    UNTAGGED: {},
    'JUST PUSHED': { pushed: 0.1 },
  };
  expect(manifestsOf(policy({ newest: 1 }), { a: ['I', 1], b: ['OLD', 2] }, manifests)).toEqual(
    ['I', 'P1', 'P2', 'SBOM', 'SIGNATURE', 'JUST PUSHED'].sort(),
  );
});

test('the first rule that fits holds; without one all stays', () => {
  const tags: Tags = { a: ['A', 1], b: ['B', 2] };
  const manifests = { A: {}, B: {} };
  const contents = contentsWith({
    'team/app': { tags, manifests },
    'x/y/z': { tags, manifests },
    other: { tags, manifests },
  });
  const rules = [
    { ...RULE, repositories: 'team/*', newest: 1 },
    { ...RULE, repositories: '{team,x}/**', newest: 0 },
  ];
  const kept = keptOf({ rules, inUse: [], windowSeconds: 1 }, contents);
  expect(
    kept.map(({ name, tags }) => [name, [...tags.values()].filter((why) => why === null).length]),
  ).toEqual([
    ['team/app', 1],
    ['x/y/z', 2],
    ['other', 0],
  ]);
});

test('what cannot be read is left, and named', () => {
  const contents = contentsWith({
    app: { tags: { a: ['A', 1], lost: ['LOST', 9], b: ['B', 8] }, manifests: { A: {}, B: {} } },
  });
  const [kept] = keptOf(policy({ newest: 1 }), contents);
  expect(kept?.tags.get('lost')).toBe('it cannot be read');
  expect(kept?.tags.get('b')).toBeNull();
  expect(kept?.notes).toEqual([expect.stringContaining('app:lost cannot be read')]);
});

test('whatever there is: what stays is complete, and a tag of it stays a tag', () => {
  const name = fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F');
  const manifest = fc.record(
    {
      children: fc.array(name, { maxLength: 3 }),
      subject: name,
      pushed: fc.double({ min: 0, max: 60, noNaN: true }),
    },
    { requiredKeys: [] },
  );
  const tags = fc.dictionary(
    fc.constantFrom('latest', 'v1', '1.0', 'x', 'y', 'z'),
    fc.tuple(name, fc.double({ min: -1, max: 60, noNaN: true })),
  );
  fc.assert(
    fc.property(tags, fc.dictionary(name, manifest), fc.nat(3), (someTags, manifests, newest) => {
      const contents = contentsWith({ app: { tags: someTags, manifests } });
      const [kept] = keptOf(policy({ newest: newest }), contents);
      if (kept === undefined) return;
      for (const [digest, why] of kept.manifests) {
        const stored = contents.manifests.get(digest);
        if (why !== null)
          for (const child of stored?.children ?? []) expect(kept.manifests.get(child)).not.toBeNull();
        else
          expect(
            [...(contents.repositories[0]?.tags ?? [])].some(
              ([tag, { digest: of }]) => of === digest && kept.tags.get(tag) !== null,
            ),
          ).toBe(false);
        if (why === null && stored?.subject) expect(kept.manifests.get(stored.subject) ?? null).toBeNull();
      }
    }),
  );
});
