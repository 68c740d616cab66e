import { savingsText } from '../../../../src/instance/images/savings';
import type { Retention } from '../../../../src/settings/types';
import { contentsWith, NOW } from './example';

const NONE: Retention = { rules: [], inUse: [], windowSeconds: 600 };
const manifest = (layer: string) => ({ blobs: [layer] });
const FIVE = contentsWith({
  app: {
    tags: { a: ['A', 1], b: ['B', 20], c: ['C', 40], d: ['D', 50], e: ['E', 60] },
    manifests: {
      A: manifest('1'),
      B: manifest('2'),
      C: manifest('3'),
      D: manifest('4'),
      E: manifest('5'),
    },
  },
});

test.each([
  [
    'usual rules, those that free something',
    NONE,
    FIVE,
    '`mode: prune` would free, with keep-newest: 3, 2.1 MB; with keep-within: 30d, 3.2 MB',
  ],
  [
    'the rules of a run',
    { ...NONE, rules: [{ repositories: '**', newest: 1, within: null, tags: [] }] },
    FIVE,
    'by the rules of this run `mode: prune` would free 4.2 MB',
  ],
  [
    'what nothing can reach, and no rule that frees no more than that',
    NONE,
    contentsWith(
      { app: { manifests: { A: manifest('1') }, tags: { a: ['A', 1] } } },
      {
        blobs: new Map([[`sha256:${'0'.repeat(64)}`, 7_000_000]]),
      },
    ),
    '`mode: prune` would free, with no rule, so by what cannot be reached any more, 7.0 MB',
  ],
  [
    'nothing',
    NONE,
    contentsWith({ app: { manifests: { A: manifest('1') }, tags: { a: ['A', 1] } } }),
    'no usual rule of `mode: prune` would free anything, so the disk is too small',
  ],
])('what a prune would free: %s', (_what, retention, contents, text) => {
  expect(savingsText(retention, contents, NOW)).toBe(text);
});
