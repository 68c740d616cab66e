import { listForBackup } from '../../../../src/instance/images/backup-list';
import { contentsWith, digestOf, NOW } from './example';

const CANARY = 'gce-registry-action/canary';
const EXAMPLE = {
  app: {
    tags: { '1': ['A', 1], latest: ['A', 1], multi: ['I', 2] },
    manifests: {
      A: { blobs: ['base', 'a'] },
      I: { children: ['C', 'D'] },
      C: { blobs: ['base', 'c'] },
      D: { blobs: ['d'] },
      // Of one that lost its tag, and an SBOM that only its subject leads to.
      J: { children: ['E'] },
      E: { blobs: ['e'] },
      S: { blobs: ['s'], subject: 'A' },
    },
  },
  'team/api': { tags: { v1: ['T', 1] }, manifests: { T: { blobs: ['base'] } } },
  [CANARY]: { manifests: { X: { blobs: ['x'] } } },
} as const;

test('each tag, and what only a digest names, but for the parts of an index', () => {
  const { images, notes, broken } = listForBackup(contentsWith(EXAMPLE), [], CANARY);
  expect(images).toEqual([
    { repository: 'app', tag: '1', digest: digestOf('A') },
    { repository: 'app', tag: 'latest', digest: digestOf('A') },
    { repository: 'app', tag: 'multi', digest: digestOf('I') },
    { repository: 'app', tag: null, digest: digestOf('J') },
    { repository: 'app', tag: null, digest: digestOf('S') },
    { repository: 'team/api', tag: 'v1', digest: digestOf('T') },
  ]);
  expect([notes, broken]).toEqual([[], []]);
});

test('the bytes of all that it needs, each piece once', () => {
  const { parts } = listForBackup(contentsWith(EXAMPLE), [], CANARY);
  expect(new Set(parts.keys())).toEqual(
    new Set(['A', 'I', 'C', 'D', 'J', 'E', 'S', 'T', 'base', 'a', 'c', 'd', 'e', 's'].map(digestOf)),
  );
  expect([...parts.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(8 * 1000 + 6 * 1_000_000);
});

test.each([
  [['team/*'], ['team/api'], []],
  [['**'], ['app', 'team/api'], []],
  [['app', 'team/**'], ['app', 'team/api'], []],
  [['none/*', 'app'], ['app'], ['`backup-repositories` has none/*, which fits no repository']],
])('%j are %j', (globs, names, notes) => {
  const list = listForBackup(contentsWith(EXAMPLE), globs, CANARY);
  expect([...new Set(list.images.map(({ repository }) => repository))]).toEqual(names);
  expect(list.notes).toEqual(notes);
});

test('schema 1 is left out; what cannot be served is named', () => {
  const contents = contentsWith({
    app: {
      tags: { old: ['O', 9], lost: ['L', 9], unread: ['U', 9], good: ['G', 1] },
      manifests: { O: { outdated: true }, U: {}, G: {}, B: {} },
    },
  });
  const manifests = new Map([...contents.manifests].filter(([digest]) => digest !== digestOf('U')));
  const [app] = contents.repositories;
  if (app === undefined) throw new Error('no repository');
  const tags = new Map([...app.tags, ['empty', { digest: null, pushed: NOW }] as const]);
  const broken = new Set([digestOf('B')]);
  const list = listForBackup(
    { ...contents, manifests, repositories: [{ ...app, tags, broken }] },
    [],
    CANARY,
  );
  expect(list.images.map(({ tag }) => tag)).toEqual(['good']);
  expect(list.notes).toEqual(['app:old is of schema 1, which is no OCI image, and is left out']);
  expect(list.broken).toEqual([
    'app:empty (its link cannot be read)',
    'app:lost (its link cannot be read)',
    'app:unread (its manifest cannot be read)',
    `app@${digestOf('B')} (its link cannot be read)`,
  ]);
});
