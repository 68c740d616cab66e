import { byRepository, type LayoutReport, layoutLine, layoutSummary } from '../../../src/report/layout';

const REPORT: LayoutReport = {
  kind: 'backup',
  path: '/w/registry-backup',
  repositories: [
    { name: 'app', tags: 2, untagged: 1 },
    { name: 'team/api', tags: 1, untagged: 0 },
  ],
  bytes: 2_000_000_000,
  movedBytes: 5_000_000,
  notes: ['app:old is of schema 1'],
};

test.each([
  [{}, false, '3 tags and 1 image by digest alone (2.0 GB) in /w/registry-backup; 5.0 MB downloaded.'],
  [{}, true, '3 tags and 1 image by digest alone (2.0 GB) would be copied to /w/registry-backup.'],
  [
    { kind: 'restore', bytes: null, repositories: [{ name: 'app', tags: 1, untagged: 0 }] },
    false,
    '1 tag restored from /w/registry-backup; 5.0 MB sent.',
  ],
  [
    { kind: 'restore', bytes: null },
    true,
    '3 tags and 1 image by digest alone would be restored from /w/registry-backup.',
  ],
] as const)('%j, planned: %j', (changes, onlyPlanned, line) => {
  expect(layoutLine({ ...REPORT, ...changes }, onlyPlanned)).toBe(line);
});

test('the summary has each repository, and what there is to say', () => {
  const text = layoutSummary(REPORT, false).join('\n');
  expect(text).toContain('| app | 2 | 1 |');
  expect(text).toContain('- app&#58;old is of schema 1');
});

test('a registry of any size fits into a summary', () => {
  const repositories = Array.from({ length: 20_000 }, (_, n) => ({ name: `r${n}`, tags: 1, untagged: 0 }));
  const notes = Array.from({ length: 20_000 }, (_, n) => `r${n}:1 was deleted`);
  const text = layoutSummary({ ...REPORT, repositories, notes }, false).join('\n');
  expect(text.length).toBeLessThan(100_000);
  expect(text).toContain('… and 19500 repositories more');
  expect(text).toContain('… and 19800 more');
});

test('images are counted by repository', () => {
  const image = (repository: string, tag: string | null) => ({ repository, tag });
  expect(byRepository([image('b', '1'), image('a', null), image('b', null), image('b', '2')])).toEqual([
    { name: 'b', tags: 2, untagged: 1 },
    { name: 'a', tags: 0, untagged: 1 },
  ]);
});
