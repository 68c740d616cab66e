import { describe, expect, test } from '@jest/globals';
import { checkSchedulePolicy } from '../compute/schedule-check.ts';
import { cloud, VM } from './cloud.ts';

const DISKS = 'projects/p/zones/z-a/disks';
const SNAPSHOTS = 'projects/p/global/snapshots';
const POLICIES = 'projects/p/regions/z/resourcePolicies';
const DAILY = {
  name: 'daily',
  snapshotSchedulePolicy: { schedule: { dailySchedule: { daysInCycle: 1, startTime: '04:00' } } },
};

/** A cloud in which an operation is waited for, and its error is returned. */
function storage(permissions: readonly string[] | null = null) {
  const { call, ended, world } = cloud(permissions);
  const done = async (method: string, path: string, body?: unknown) => {
    const answer = await call(method, path, body);
    if (answer.status !== 200) return { status: answer.status, ...answer.body.error.errors[0] };
    const { error } = (await ended(answer)) as unknown as { error?: { errors: { code: string }[] } };
    return { status: 200, ...(error && { reason: error.errors[0]?.code }) };
  };
  const get = async (path: string) => (await call('GET', path)).body as unknown as Record<string, unknown>;
  return { call, done, get, world };
}

const OK = { status: 200 };

test('a disk is made, attached, detached and deleted', async () => {
  const { done, get } = storage();
  expect(await done('POST', DISKS, { name: 'data', sizeGb: '20' })).toEqual(OK);
  expect(await get(`${DISKS}/data`)).toMatchObject({ sizeGb: '20', status: 'READY' });
  expect(String((await get(`${DISKS}/data`)).type)).toMatch(/pd-standard$/);
  const attach = { source: `${DISKS}/data`, deviceName: 'data' };
  expect(await done('POST', `${VM}/attachDisk`, attach)).toEqual(OK);
  expect((await get(VM)).disks).toMatchObject([
    { boot: true, deviceName: 'vm', autoDelete: true, index: 0 },
    { boot: false, deviceName: 'data', autoDelete: false, index: 1, diskSizeGb: '20', mode: 'READ_WRITE' },
  ]);
  const inUse = { status: 400, reason: 'resourceInUseByAnotherResource' };
  expect(await done('DELETE', `${DISKS}/data`)).toMatchObject(inUse);
  expect(await done('POST', `${VM}/attachDisk`, attach)).toMatchObject(inUse);
  expect(await done('POST', `${VM}/detachDisk?deviceName=other`)).toMatchObject({ reason: 'invalid' });
  expect(await done('POST', `${VM}/detachDisk?deviceName=vm`)).toMatchObject({ reason: 'invalid' });
  expect(await done('POST', `${VM}/detachDisk?deviceName=data`)).toEqual(OK);
  expect(await done('DELETE', `${DISKS}/data`)).toEqual(OK);
  expect(await done('DELETE', `${DISKS}/data`)).toMatchObject({ status: 404, reason: 'notFound' });
});

test('a snapshot passes through its states, outlives its disk, and becomes another one', async () => {
  const { call, done, get } = storage();
  await done('POST', DISKS, { name: 'data', sizeGb: 20 });
  const begun = await call('POST', `${DISKS}/data/createSnapshot`, { name: 's', labels: { a: 'b' } });
  expect(begun.body).toMatchObject({ operationType: 'createSnapshot', status: 'RUNNING' });
  expect((await get(`${SNAPSHOTS}/s`)).status).toBe('CREATING');
  const early = await done('POST', DISKS, { name: 'copy', sourceSnapshot: `${SNAPSHOTS}/s` });
  expect(early).toMatchObject({ reason: 'resourceNotReady' });
  await done('POST', SNAPSHOTS, { name: 't', sourceDisk: `${DISKS}/data` });
  expect((await call('POST', SNAPSHOTS, { name: 's', sourceDisk: `${DISKS}/data` })).status).toBe(409);
  await done('DELETE', `${DISKS}/data`);
  expect(await get(`${SNAPSHOTS}/s`)).toMatchObject({
    status: 'READY',
    diskSizeGb: '20',
    labels: { a: 'b' },
  });
  const small = { name: 'copy', sourceSnapshot: `${SNAPSHOTS}/s`, sizeGb: 10 };
  expect(await done('POST', DISKS, small)).toMatchObject({ status: 400, reason: 'invalid' });
  expect(await done('POST', DISKS, { ...small, sizeGb: 30 })).toEqual(OK);
  expect(String((await get(`${DISKS}/copy`)).sourceSnapshot)).toMatch(/global\/snapshots\/s$/);
  expect(await get(`${SNAPSHOTS}?filter=labels.a=b`)).toMatchObject({ items: [{ name: 's' }] });
  expect(await done('DELETE', `${SNAPSHOTS}/s`)).toEqual(OK);
});

test('labels need the fingerprint of those that there are', async () => {
  const { call, done, get } = storage();
  await done('POST', DISKS, { name: 'data', sizeGb: 1, labels: { a: '1' } });
  const { labelFingerprint } = await get(`${DISKS}/data`);
  const wrong = { labels: {}, labelFingerprint: '42WmSpB8rSM=' };
  expect((await call('POST', `${DISKS}/data/setLabels`, wrong)).status).toBe(412);
  expect(await done('POST', `${DISKS}/data/setLabels`, { labels: { b: '2' }, labelFingerprint })).toEqual(OK);
  expect(await get(`${DISKS}/data`)).toMatchObject({ labels: { b: '2' } });
  const bad = await call('POST', DISKS, { name: 'other', labels: { A: '1' } });
  expect(bad.body.error.errors[0]?.reason).toBe('invalid');
});

test('a schedule is made, attached, changed in place, and deleted when no disk has it', async () => {
  const { call, done, get } = storage();
  await done('POST', DISKS, { name: 'data', sizeGb: 1 });
  expect(await done('POST', POLICIES, DAILY)).toEqual(OK);
  expect((await call('POST', POLICIES, DAILY)).status).toBe(409);
  const list = { resourcePolicies: [`${POLICIES}/daily`] };
  expect(await done('POST', `${DISKS}/data/addResourcePolicies`, list)).toEqual(OK);
  const elsewhere = { resourcePolicies: ['projects/p/regions/other/resourcePolicies/daily'] };
  expect(await done('POST', `${DISKS}/data/addResourcePolicies`, elsewhere)).toMatchObject({ status: 400 });
  const weekly = { weeklySchedule: { dayOfWeeks: [{ day: 'SUNDAY', startTime: '05:00' }] } };
  const change = { snapshotSchedulePolicy: { schedule: weekly } };
  expect(await done('PATCH', `${POLICIES}/daily`, change)).toEqual(OK);
  const { snapshotSchedulePolicy } = await get(`${POLICIES}/daily`);
  expect(snapshotSchedulePolicy).toEqual({
    schedule: {
      weeklySchedule: { dayOfWeeks: [{ day: 'SUNDAY', startTime: '05:00', duration: 'PT14400S' }] },
    },
  });
  const flush = { snapshotSchedulePolicy: { snapshotProperties: { guestFlush: true } } };
  expect(await done('PATCH', `${POLICIES}/daily`, flush)).toMatchObject({ status: 400 });
  expect(await done('DELETE', `${POLICIES}/daily`)).toMatchObject({
    reason: 'resourceInUseByAnotherResource',
    message: expect.stringContaining("already being used by 'projects/p/zones/z-a/disks/data'"),
  });
  expect(await done('POST', `${DISKS}/data/removeResourcePolicies`, list)).toEqual(OK);
  expect(await done('DELETE', `${POLICIES}/daily`)).toEqual(OK);
});

describe('each call takes its permissions', () => {
  test.each<[string, string, unknown, string]>([
    ['GET', `${DISKS}/vm`, undefined, 'compute.disks.get'],
    ['GET', DISKS, undefined, 'compute.disks.list'],
    ['POST', DISKS, { name: 'x', sizeGb: 1 }, 'compute.disks.create'],
    ['POST', `${DISKS}/vm/createSnapshot`, { name: 's' }, 'compute.disks.createSnapshot'],
    ['GET', `${SNAPSHOTS}/s`, undefined, 'compute.snapshots.get'],
    ['GET', SNAPSHOTS, undefined, 'compute.snapshots.list'],
    ['DELETE', `${SNAPSHOTS}/s`, undefined, 'compute.snapshots.delete'],
    ['GET', `${POLICIES}/daily`, undefined, 'compute.resourcePolicies.get'],
    ['POST', POLICIES, DAILY, 'compute.resourcePolicies.create'],
    ['PATCH', `${POLICIES}/daily`, DAILY, 'compute.resourcePolicies.update'],
    ['DELETE', `${POLICIES}/daily`, undefined, 'compute.resourcePolicies.delete'],
    ['POST', `${VM}/attachDisk`, { source: `${DISKS}/x` }, 'compute.instances.attachDisk'],
    ['POST', `${VM}/detachDisk?deviceName=x`, undefined, 'compute.instances.detachDisk'],
  ])('%s %s', async (method, path, body, permission) => {
    const { call } = storage([]);
    const { status, body: answer } = await call(method, path, body);
    expect(status).toBe(403);
    expect(answer.error.message).toContain(`Required '${permission}' permission`);
  });

  test('labels and schedules take more', async () => {
    const { call } = storage(['compute.disks.create', 'compute.disks.addResourcePolicies']);
    const labelled = await call('POST', DISKS, { name: 'x', sizeGb: 1, labels: { a: 'b' } });
    expect(labelled.body.error.message).toContain('compute.disks.setLabels');
    const list = { resourcePolicies: [`${POLICIES}/daily`] };
    const used = await call('POST', `${DISKS}/vm/addResourcePolicies`, list);
    expect(used.body.error.message).toContain('compute.resourcePolicies.use');
  });
});

describe('schedules', () => {
  const at = (startTime: string) => ({ schedule: { dailySchedule: { daysInCycle: 1, startTime } } });
  const day = (name: string) => ({ weeklySchedule: { dayOfWeeks: [{ day: name, startTime: '04:00' }] } });

  test('a time is shown with two digits', () => {
    expect(checkSchedulePolicy(at('4:00'))).toEqual({
      schedule: { dailySchedule: { daysInCycle: 1, startTime: '04:00', duration: 'PT14400S' } },
    });
  });

  test.each([
    [{}],
    [{ schedule: {} }],
    [{ schedule: { ...at('04:00').schedule, ...day('SUNDAY') } }],
    [at('04:30')],
    [at('24:00')],
    [{ schedule: { hourlySchedule: { hoursInCycle: 24, startTime: '00:00' } } }],
    [{ schedule: { hourlySchedule: { hoursInCycle: 1 } } }],
    [{ schedule: { dailySchedule: { daysInCycle: 2, startTime: '04:00' } } }],
    [{ schedule: day('Sunday') }],
    [{ ...at('04:00'), retentionPolicy: { maxRetentionDays: 0 } }],
  ])('%j is refused', (policy) => {
    expect(() => checkSchedulePolicy(policy)).toThrow();
  });
});
