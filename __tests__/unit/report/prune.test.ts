import { type PruneReport, pruneLog, pruneSummary } from '../../../src/report/prune';

const REPORT: PruneReport = {
  repositories: [
    {
      name: 'app',
      rule: '**',
      tags: [
        { name: 'new', kept: 'one of the newest 1' },
        { name: 'old', kept: null },
      ],
      untagged: 2,
    },
    { name: 'kept', rule: null, tags: [{ name: 'x', kept: 'no rule is for it' }], untagged: 0 },
  ],
  deleted: 1,
  freedBytes: 2_000_000_000,
  laterBytes: 5_000_000,
  disk: { size: 10e9, usedBefore: 5e9, usedAfter: 3e9 },
  heldMs: 480,
};

test('what went, why the rest stays, and the disk before and after', () => {
  const text = pruneSummary(REPORT, false).join('\n');
  expect(text).toContain('| app | &#42;&#42; | old; 2 without a tag | new (one of the newest 1) |');
  expect(text).not.toContain('| kept |');
  expect(text).toContain('before ███████████████░░░░░░░░░░░░░░░ 5.0 GB of 10.0 GB');
  expect(text).toContain('after  █████████░░░░░░░░░░░░░░░░░░░░░ 3.0 GB of 10.0 GB');
  expect(text).toContain('2.0 GB came free; 5.0 MB more in some hours; pushes were held for 0.5 s.');
});

test('a plan says what would be', () => {
  const text = pruneSummary({ ...REPORT, heldMs: null }, true).join('\n');
  expect(text).toContain('2.0 GB would come free');
  expect(text).toContain('after  █████████░');
});

test('the log has each tag with its reason', () => {
  expect(pruneLog(REPORT)).toEqual([
    'app:new stays: one of the newest 1',
    '- app:old goes',
    '- app: 2 manifests without a tag go',
    'kept:x stays: no rule is for it',
  ]);
});
