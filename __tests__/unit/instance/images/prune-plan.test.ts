import {
  isNothingToPrune,
  planPrune,
  pruneLines,
  tagsThatGo,
} from '../../../../src/instance/images/prune-plan';
import type { Retention } from '../../../../src/settings/types';
import { contentsWith, digestOf, NOW } from './example';

const ONE: Retention = {
  rules: [{ repositories: '**', newest: 1, within: null, tags: [] }],
  inUse: [],
  windowSeconds: 600,
};
const hex = (name: string) => digestOf(name).slice(7);

const TWO = {
  app: {
    tags: { new: ['A', 1], old: ['B', 9] },
    manifests: { A: { blobs: ['base', 'a'] }, B: { blobs: ['base', 'b'] } },
  },
} as const;

test('what goes: the tag, its manifest, and the blobs that nothing else has', () => {
  const plan = planPrune(ONE, contentsWith(TWO), NOW);
  expect(plan.links).toEqual(['app/_manifests/tags/old', `app/_manifests/revisions/sha256/${hex('B')}`]);
  expect([...plan.garbage].sort()).toEqual([hex('B'), hex('b')].sort());
  expect([tagsThatGo(plan), plan.emptied, plan.laterBytes]).toEqual([1, [], 0]);
  // A megabyte and a kilobyte, and what directories and links take.
  expect(plan.freedBytes).toBe(1_001_000 + 2 * 3 * 4096 + 7 * 4096);
  expect(isNothingToPrune(plan)).toBe(false);
});

test.each(['sent', 'asked'] as const)('a blob that was %s lately stays for some hours more', (how) => {
  const contents = contentsWith(TWO);
  const touched = new Map([...contents[how], [digestOf('b'), NOW - 3600]]);
  const plan = planPrune(ONE, { ...contents, [how]: touched }, NOW);
  expect(plan.garbage).toEqual([hex('B')]);
  expect(plan.laterBytes).toBeGreaterThan(1_000_000);
});

test('a repository that was pushed to while this run was about to prune it keeps what it has; before this run it does not count', () => {
  const last = (endedAt: number) =>
    ({ outcome: 'changed', heldMs: 1, endedAt, changed: ['app'], needed: new Set<string>() }) as const;
  const during = planPrune(ONE, contentsWith(TWO, { last: last(NOW + 5) }), NOW);
  expect(isNothingToPrune(during)).toBe(true);
  expect(isNothingToPrune(planPrune(ONE, contentsWith(TWO, { last: last(NOW - 5) }), NOW))).toBe(false);
});

test('what the registry’s own collector would keep is not asked for again', () => {
  const needed = new Set([digestOf('b'), digestOf('B')]);
  const last = { outcome: 'done', heldMs: 1, endedAt: NOW, changed: [], needed } as const;
  expect(planPrune(ONE, contentsWith(TWO, { last }), NOW).garbage).toEqual([]);
});

test('an empty repository leaves; one to which a push has begun does not', () => {
  const contents = contentsWith(TWO);
  const empty = { name: 'empty', tags: new Map(), revisions: new Map(), broken: new Set<string>() };
  const repositories = [
    ...contents.repositories,
    { ...empty, sent: NOW - 90_000 },
    { ...empty, name: 'begun', sent: NOW - 60 },
  ];
  expect(planPrune(ONE, { ...contents, repositories }, NOW).emptied).toEqual(['empty']);
});

test('an upload that was given up goes', () => {
  const uploads = new Map([
    ['app/_uploads/old', { bytes: 5000, written: NOW - 2 * 86_400 }],
    ['app/_uploads/new', { bytes: 5000, written: NOW - 600 }],
  ]);
  const plan = planPrune(ONE, contentsWith({}, { uploads }), NOW);
  expect([plan.abandoned, plan.freedBytes]).toEqual([['app/_uploads/old'], 5000]);
  expect(pruneLines(plan)).toBe('upload repositories/app/_uploads/old\n');
});

test('what the collector could not read is left out for it', () => {
  const contents = contentsWith({
    app: { tags: { a: ['A', 1] }, manifests: { A: {}, OLD: { outdated: true, pushed: 0 } } },
  });
  expect(planPrune(ONE, contents, NOW).unreadable).toEqual([`app/_manifests/revisions/sha256/${hex('OLD')}`]);
});

test('paths that are none of the registry’s never reach the script', () => {
  const contents = contentsWith({ 'a b;$(x)\n': { tags: { old: ['A', 9] }, manifests: { A: {} } } });
  const rules = [{ repositories: '**', newest: 0, within: null, tags: [] }];
  expect(pruneLines(planPrune({ ...ONE, rules }, contents, NOW))).not.toMatch(/[;$ ].*[;$(]/);
});
