import type { Clients, OperationMessage } from '../../../src/google/clients';
import { googleStorage } from '../../../src/google/google-storage';
import type { SchedulePolicy } from '../../../src/google/storage';
import { readPolicy, writePolicy } from '../../../src/google/storage-messages';
import { answer, fakeClock, fakeLog } from './fakes';

const DONE: OperationMessage = { name: 'op', status: 'DONE' };

/** Answers each method of all clients from its script, in order; an Error is thrown, the last one again and again. */
function scripted(script: Readonly<Record<string, unknown[]>>) {
  const sent: { method: string; request: Record<string, unknown> }[] = [];
  const client = (kind: string) =>
    new Proxy(
      {},
      {
        get: (_, name: string) => async (request: Record<string, unknown>) => {
          const method = `${kind}.${name}`;
          sent.push({ method, request });
          const answers = script[method] ?? [DONE];
          const next = answers.length > 1 ? answers.shift() : answers[0];
          if (next instanceof Error) throw next;
          if (name === 'list') return next;
          return 'requestId' in request ? [{ latestResponse: next }] : [next];
        },
      },
    );
  const clients = new Proxy({}, { get: (_, kind: string) => () => client(kind) }) as Clients;
  const name = { project: 'p', zone: 'europe-west1-b', instance: 'web-1' };
  const storage = googleStorage(name, clients, { log: fakeLog(), clock: fakeClock() });
  return { storage, sent };
}

const POLICY: SchedulePolicy = {
  name: 'web-1-registry-snapshots',
  description: 'x',
  schedule: { kind: 'weekly', day: 'sunday', at: '04:00' },
  keepDays: 14,
  keepsAfterDisk: true,
  labels: { a: 'b' },
};

test.each<SchedulePolicy['schedule']>([
  { kind: 'hourly' },
  { kind: 'daily', at: '04:00' },
  { kind: 'weekly', day: 'sunday', at: '23:00' },
])('a schedule is read as it was written: %j', (schedule) => {
  const policy = { ...POLICY, schedule };
  expect(readPolicy(writePolicy(policy))).toEqual(policy);
});

test.each([
  [{ hourlySchedule: { hoursInCycle: 4, startTime: '00:00' } }],
  [{ weeklySchedule: { dayOfWeeks: ['MONDAY', 'FRIDAY'].map((day) => ({ day, startTime: '04:00' })) } }],
  [{ dailySchedule: { daysInCycle: 1, startTime: '04:30' } }],
  [{}],
])('one that the inputs have no words for is another one: %j', (schedule) => {
  expect(readPolicy({ snapshotSchedulePolicy: { schedule } }).schedule).toBeNull();
});

test('a schedule is of the region, a disk of the zone', async () => {
  const { storage, sent } = scripted({});
  await storage.insertPolicy(POLICY);
  await storage.addPolicy('data', POLICY.name);
  expect(sent.map(({ method, request }) => [method, request.region ?? request.zone])).toEqual([
    ['resourcePolicies.insert', 'europe-west1'],
    ['disks.addResourcePolicies', 'europe-west1-b'],
  ]);
  expect(sent[1]?.request.disksAddResourcePoliciesRequestResource).toEqual({
    resourcePolicies: ['projects/p/regions/europe-west1/resourcePolicies/web-1-registry-snapshots'],
  });
});

test.each([
  ['insertPolicy', 'resourcePolicies.insert', 409, [POLICY]],
  ['deletePolicy', 'resourcePolicies.delete', 404, ['x']],
  ['deleteSnapshot', 'snapshots.delete', 404, ['x']],
  ['getDisk', 'disks.get', 404, ['x']],
  ['getSnapshot', 'snapshots.get', 404, ['x']],
  ['getPolicy', 'resourcePolicies.get', 404, ['x']],
] as const)('%s: %s that ends with %i is no error', async (name, method, status, words) => {
  const { storage } = scripted({ [method]: [answer(status, 'x')] });
  const call = storage[name] as (...words: unknown[]) => Promise<unknown>;
  expect(await call.call(storage, ...words)).toBe(name.startsWith('get') ? null : false);
});

test('labels that others have changed since are not overwritten', async () => {
  const { storage } = scripted({ 'disks.setLabels': [answer(412, 'conditionNotMet')] });
  const disk = { name: 'd', labelFingerprint: 'old' } as never;
  expect(await storage.setDiskLabels(disk, { a: 'b' })).toBe(false);
});

test('what Google refuses is an error that names it', async () => {
  const refused = answer(400, 'resourceInUseByAnotherResource', 'The disk is already being used');
  const { storage } = scripted({ 'instances.attachDisk': [refused] });
  await expect(storage.attachDisk('data', 'data')).rejects.toMatchObject({
    title: 'The Compute API refused the request',
    message: expect.stringContaining('attaching disk data'),
  });
});

test('a snapshot is taken when it is uploaded, and returned when it is ready', async () => {
  const at = (status: string) => ({ name: 's', id: '1', status, creationTimestamp: '2026-01-01T00:00:00Z' });
  const { storage } = scripted({
    'disks.createSnapshot': [{ name: 'op', status: 'RUNNING' }],
    'zoneOperations.wait': [
      { name: 'op', status: 'RUNNING' },
      { name: 'op', status: 'RUNNING' },
      { name: 'op', status: 'RUNNING' },
      DONE,
    ],
    'snapshots.get': [at('CREATING'), at('UPLOADING'), at('UPLOADING'), at('READY')],
  });
  let taken = 0;
  const snapshot = await storage.createSnapshot('d', { name: 's', description: '', labels: {} }, () => {
    taken += 1;
  });
  expect(taken).toBe(1);
  expect(snapshot).toMatchObject({ status: 'READY', created: Date.parse('2026-01-01T00:00:00Z') });
});

test('a snapshot that fails is said', async () => {
  const { storage } = scripted({ 'snapshots.get': [{ name: 's', status: 'FAILED' }] });
  await expect(storage.createSnapshot('d', { name: 's', description: '', labels: {} })).rejects.toMatchObject(
    {
      title: 'The snapshot did not become ready',
    },
  );
});

test('all pages are read, and a list without an end is none', async () => {
  const page = (name: string, pageToken?: string) => [[{ name }], pageToken ? { pageToken } : null];
  const { storage } = scripted({ 'disks.list': [page('a', '2'), page('b')] });
  expect((await storage.listDisks()).map(({ name }) => name)).toEqual(['a', 'b']);
  const endless = scripted({ 'disks.list': [page('a', '2')] });
  await expect(endless.storage.listDisks()).rejects.toThrow('the list has no end');
});
