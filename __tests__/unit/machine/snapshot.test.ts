import { outdatedSnapshots, takeSnapshot } from '../../../src/machine/snapshot';
import { RESOURCE_NAME, snapshotName } from '../../../src/values/names';
import { FakeStorage, snapshotOf } from '../google/fake-storage';
import { fakeLog } from '../google/fakes';
import { MACHINE } from './example';

const DAY = 24 * 60 * 60_000;

test('a snapshot is named and labelled by its instance and its time', async () => {
  const storage = new FakeStorage();
  const [boot, data] = MACHINE.disks;
  const now = Date.parse('2026-11-28T04:05:06.789Z');
  const tools = { storage, log: fakeLog(), vm: MACHINE, now };
  await takeSnapshot({ ...tools, disk: data as never, before: null });
  await takeSnapshot({ ...tools, disk: boot as never, before: 'prune', now: now + 1000 });
  expect(storage.snapshots.map(({ name, disk, labels }) => ({ name, disk, labels }))).toEqual([
    {
      name: 'web-1-registry-20261128-040506',
      disk: 'data-1',
      labels: {
        'gce-registry-instance': 'web-1',
        'gce-registry-zone': MACHINE.zone,
        'gce-registry-kind': 'data',
      },
    },
    {
      name: 'web-1-registry-20261128-040507',
      disk: 'web-1',
      labels: {
        'gce-registry-instance': 'web-1',
        'gce-registry-zone': MACHINE.zone,
        'gce-registry-kind': 'boot',
        'gce-registry-before': 'prune',
      },
    },
  ]);
});

test('the longest name of an instance leaves room for the time', () => {
  const name = snapshotName('a'.repeat(63), new Date(0));
  expect(name).toMatch(RESOURCE_NAME);
  expect(name).toMatch(/-registry-19700101-000000$/);
});

test('too old is what is not of a schedule, and ready', () => {
  const now = 100 * DAY;
  const at = (name: string, days: number, more = {}) =>
    snapshotOf(name, { created: now - days * DAY, ...more });
  const names = (all: ReturnType<typeof at>[]) =>
    outdatedSnapshots(all, { keepDays: 14, now }).map(({ name }) => name);
  expect(names([at('a', 90), at('b', 15), at('c', 13)])).toEqual(['a', 'b']);
  expect(names([at('a', 90, { labels: { 'gce-registry-kind': 'scheduled' } }), at('b', 1)])).toEqual([]);
  expect(names([at('a', 90, { status: 'UPLOADING' })])).toEqual([]);
});
