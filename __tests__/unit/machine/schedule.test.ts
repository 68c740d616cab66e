import fc from 'fast-check';
import { asPlanned, converge, survey } from '../../../src/converge/converge';
import { describeChange } from '../../../src/converge/describe';
import { FORBIDDEN, type Instance } from '../../../src/google/compute';
import type { SchedulePolicy } from '../../../src/google/storage';
import type { DataPlace } from '../../../src/machine/data-place';
import { descriptionOf } from '../../../src/machine/identity';
import type { DesiredSchedule } from '../../../src/machine/schedule-plan';
import { scheduleTarget } from '../../../src/machine/schedule-target';
import { ActionError } from '../../../src/values/errors';
import { describeSnapshotSchedule, parseSnapshotSchedule } from '../../../src/values/snapshot-schedule';
import { diskOf, FakeStorage, snapshotOf } from '../google/fake-storage';
import { fakeLog } from '../google/fakes';
import { FakeCompute } from '../leases/example';
import { MACHINE, PLACE } from './example';

const DAILY: DesiredSchedule = { schedule: { kind: 'daily', at: '04:00' }, keepDays: 14 };
const NAME = 'web-1-registry-snapshots';
const LABELS = {
  'gce-registry-instance': 'web-1',
  'gce-registry-zone': MACHINE.zone,
  'gce-registry-kind': 'scheduled',
};
const OURS: SchedulePolicy = {
  name: NAME,
  description: descriptionOf("Snapshots of the disk with the registry's images", MACHINE),
  schedule: { kind: 'daily', at: '04:00' },
  keepDays: 14,
  keepsAfterDisk: true,
  labels: LABELS,
};

let storage: FakeStorage;

beforeEach(() => {
  storage = new FakeStorage();
  storage.disks = [diskOf('web-1'), diskOf('data-1')];
});

async function run(
  desired: DesiredSchedule,
  place: DataPlace = PLACE,
  isTeardown = false,
  vm: Instance = MACHINE,
) {
  const compute = new FakeCompute();
  compute.vm = vm;
  const target = scheduleTarget({ compute, storage, desired, readPlace: async () => place, isTeardown });
  const tools = { log: fakeLog(), sleep: async () => undefined };
  const surveyed = await survey(target, tools);
  const planned = asPlanned(surveyed);
  const { changes } = await converge(surveyed);
  const again = await survey(target, tools);
  expect(again.plan.steps).toEqual([]);
  expect(changes).toEqual(planned.changes);
  return { lines: changes.map(describeChange), notes: planned.notes };
}

test('one is made, and put on the disk with the data', async () => {
  const { lines } = await run(DAILY);
  expect(lines).toEqual([
    `add snapshot schedule ${NAME}: daily 04:00, kept 14 days, because snapshot-schedule asks for it`,
    `add snapshot schedule of disk data-1: ${NAME}, because the registry's images are on this disk`,
  ]);
  expect(storage.policies).toEqual([OURS]);
  expect(storage.calls).toEqual([`insertPolicy ${NAME}`, `addPolicy data-1 ${NAME}`]);
});

test('data on the boot disk is found there', async () => {
  await run(DAILY, { ...PLACE, devices: ['web-1'], mount: '/' });
  expect(storage.calls.at(-1)).toBe(`addPolicy web-1 ${NAME}`);
});

test.each<[string, Partial<SchedulePolicy>, string]>([
  ['the time', { schedule: { kind: 'daily', at: '05:00' } }, 'daily 05:00, kept 14 days'],
  ['the kind', { schedule: { kind: 'hourly' } }, 'hourly, kept 14 days'],
  ['one that the action does not make', { schedule: null }, 'at other times, kept 14 days'],
  ['how long', { keepDays: 3 }, 'daily 04:00, kept 3 days'],
  ['what is kept', { keepsAfterDisk: false }, 'daily 04:00, kept 14 days, and not longer than the disk'],
])('drift of %s is put right', async (_, changes, was) => {
  storage.policies = [{ ...OURS, ...changes }];
  storage.disks = [diskOf('data-1', { policies: [NAME] })];
  const { lines } = await run(DAILY);
  expect(lines).toEqual([
    `snapshot schedule ${NAME}: ${was} → daily 04:00, kept 14 days, because snapshot-schedule asks for it`,
  ]);
});

test('labels of somebody else on the snapshots stay, ours come back', async () => {
  storage.policies = [{ ...OURS, labels: { team: 'x' } }];
  storage.disks = [diskOf('data-1', { policies: [NAME] })];
  await run(DAILY);
  expect(storage.policies[0]?.labels).toEqual({ team: 'x', ...LABELS });
});

test('from a disk that the data has left it goes', async () => {
  storage.policies = [OURS];
  storage.disks = [diskOf('old', { policies: [NAME, 'theirs'] }), diskOf('data-1')];
  await run(DAILY);
  expect(storage.calls).toEqual([`addPolicy data-1 ${NAME}`, `removePolicy old ${NAME}`]);
});

test('what is somebody else’s on the disk is named, and stays', async () => {
  storage.disks = [diskOf('data-1', { policies: ['theirs'] })];
  const { notes } = await run(DAILY);
  expect(notes).toEqual(['disk data-1 has resource policies of somebody else, which stay: theirs']);
  expect(storage.disks[0]?.policies).toEqual(['theirs', NAME]);
});

test('a schedule of the same name of another zone is not touched', async () => {
  const other = { ...OURS, description: OURS.description.replace(MACHINE.zone, 'europe-west1-z') };
  storage.policies = [other];
  await run(DAILY);
  expect(storage.policies[0]).toEqual(other);
  expect(storage.policies[1]?.name).toMatch(/^web-1-registry-snapshots-[0-9a-f]{8}$/);
});

test('none: it goes from every disk, is deleted, and the snapshots are named', async () => {
  storage.policies = [OURS];
  storage.disks = [diskOf('data-1', { policies: [NAME] }), diskOf('old', { policies: [NAME] })];
  storage.snapshots = [snapshotOf('s-1', { labels: LABELS })];
  const { notes } = await run({ ...DAILY, schedule: 'none' });
  expect(storage.calls).toEqual([
    `removePolicy data-1 ${NAME}`,
    `removePolicy old ${NAME}`,
    `deletePolicy ${NAME}`,
  ]);
  expect(notes).toEqual(['snapshots stay: s-1 (`gcloud compute snapshots delete`)']);
});

test('a teardown by credentials that may see no schedule finds none; a deploy says what it lacks', async () => {
  const problem = { doing: 'reading', happened: 'no', next: 'grant' };
  storage.failing = {
    getPolicy: new ActionError('A permission is missing in Google Cloud', problem, { code: FORBIDDEN }),
  };
  const { lines } = await run({ ...DAILY, schedule: 'none' }, PLACE, true);
  expect(lines).toEqual([]);
  await expect(run(DAILY)).rejects.toThrow('A permission is missing');
});

test.each<[string, Partial<DataPlace>, RegExp]>([
  ['NFS', { devices: [], fileSystem: 'nfs4', source: 'nas:/x' }, /no disk of web-1 in Google Cloud/],
  ['a file on a loop device', { devices: [], unnamed: 1 }, /no disk of web-1/],
  ['two disks below LVM', { devices: ['data', 'web-1'] }, /spread over several disks/],
  ['a local SSD', { devices: ['local-ssd-0'] }, /on a local SSD/],
  ['a disk that was detached', { devices: ['gone'] }, /has no disk "gone" any more/],
])('%s has no snapshots, which is said', async (_, changes, message) => {
  await expect(run(DAILY, { ...PLACE, ...changes })).rejects.toMatchObject({
    title: 'The data is on no disk that has snapshots',
    message: expect.stringMatching(message),
  });
});

test('nor has a regional disk, as far as the action goes', async () => {
  const vm = { ...MACHINE, disks: MACHINE.disks.map((disk) => ({ ...disk, regional: !disk.boot })) };
  await expect(run(DAILY, PLACE, false, vm)).rejects.toThrow('on the regional disk data-1');
});

describe('schedules in words', () => {
  test.each(['hourly', 'daily 04:00', 'weekly sunday 23:00'])('%s is read and written', (words) => {
    const schedule = parseSnapshotSchedule(words);
    expect(schedule && describeSnapshotSchedule(schedule)).toBe(words);
  });

  test('whatever else there is, is none, or comes out as it went in', () => {
    const words = fc.constantFrom(
      'hourly',
      'daily',
      'weekly',
      'sunday',
      ' ',
      '4:00',
      '04:00',
      '24:00',
      '\n',
      'x',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 6 }).map((each) => each.join('')),
    );
    fc.assert(
      fc.property(text, (value) => {
        const schedule = parseSnapshotSchedule(value);
        return schedule === null || describeSnapshotSchedule(schedule) === value.replace(/ (\d:00)$/, ' 0$1');
      }),
    );
  });
});
