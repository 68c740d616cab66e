import { describe, expect, test } from '@jest/globals';
import { cloud, OPEN, RULES, VM } from './cloud.ts';

describe('the life of a rule', () => {
  test('is there when its operation is done, not before', async () => {
    const { call, ended } = cloud();
    const inserted = await call('POST', RULES, OPEN);
    expect(inserted).toMatchObject({ status: 200, body: { status: 'RUNNING', operationType: 'insert' } });
    expect((await call('GET', `${RULES}/open`)).status).toBe(404);
    expect(await call('POST', RULES, OPEN)).toMatchObject({ status: 409 });
    expect(await ended(inserted)).toMatchObject({ status: 'DONE', progress: 100 });
    expect(await call('GET', `${RULES}/open`)).toMatchObject({ body: { sourceRanges: ['192.0.2.0/24'] } });
  });

  test('patch merges, update replaces', async () => {
    const { call, ended } = cloud();
    await ended(await call('POST', RULES, { ...OPEN, description: 'mine', targetTags: ['a'] }));
    await ended(await call('PATCH', `${RULES}/open`, { priority: 5 }));
    const patched = (await call('GET', `${RULES}/open`)).body;
    expect(patched).toMatchObject({ description: 'mine', priority: 5, targetTags: ['a'] });
    await ended(await call('PUT', `${RULES}/open`, OPEN));
    const updated = (await call('GET', `${RULES}/open`)).body;
    expect(updated).toMatchObject({ description: '', priority: 1000, id: patched.id });
    expect(updated).not.toHaveProperty('targetTags');
  });

  test('a patch that takes the last source away opens the rule to everybody', async () => {
    const { call, ended } = cloud();
    await ended(await call('POST', RULES, OPEN));
    await ended(await call('PATCH', `${RULES}/open`, { sourceRanges: [] }));
    expect((await call('GET', `${RULES}/open`)).body).toMatchObject({ sourceRanges: ['0.0.0.0/0'] });
  });

  test('nothing is done to a rule that is being worked on', async () => {
    const { call, ended } = cloud();
    await ended(await call('POST', RULES, OPEN));
    const first = await call('PATCH', `${RULES}/open`, { priority: 1 });
    const second = await call('DELETE', `${RULES}/open`);
    expect(second).toMatchObject({
      status: 400,
      body: { error: { errors: [{ reason: 'resourceNotReady' }] } },
    });
    await ended(first);
  });

  test('the same requestId is the same operation', async () => {
    const { call, ended } = cloud();
    const path = `${RULES}?requestId=6d1b6d0c-7a0f-4f7e-9b0e-2f4f6a1f0b11`;
    const first = await call('POST', path, OPEN);
    await ended(first);
    expect(await call('POST', path, OPEN)).toMatchObject({
      status: 200,
      body: { name: first.body.name, status: 'DONE' },
    });
  });
});

describe('fingerprints', () => {
  const metadata = async ({
    call,
  }: ReturnType<typeof cloud>): Promise<{ fingerprint: string; items: object[] }> =>
    (await call('GET', VM)).body.metadata as never;

  test.each(['setMetadata', 'setTags'])('%s without, or with an old one, is refused', async (method) => {
    const { call } = cloud();
    for (const body of [{}, { fingerprint: 'AAAAAAAAAAA=' }]) {
      const answer = await call('POST', `${VM}/${method}`, body);
      expect(answer).toMatchObject({
        status: 412,
        body: { error: { errors: [{ reason: 'conditionNotMet' }] } },
      });
    }
  });

  test('of two writers the slower one fails when its operation ends', async () => {
    const it = cloud();
    const { fingerprint, items } = await metadata(it);
    const write = (key: string) =>
      it.call('POST', `${VM}/setMetadata`, { fingerprint, items: [...items, { key, value: '' }] });
    const [first, second] = [await write('a'), await write('b')];
    expect(await it.ended(first)).not.toHaveProperty('error');
    expect(await it.ended(second)).toMatchObject({
      httpErrorStatusCode: 412,
      error: { errors: [{ code: 'CONDITION_NOT_MET' }] },
    });
    expect((await metadata(it)).items).toHaveLength(items.length + 1);
  });

  test('a value may have 262144 bytes, no more', async () => {
    const it = cloud();
    const { fingerprint } = await metadata(it);
    const write = (size: number) =>
      it.call('POST', `${VM}/setMetadata`, { fingerprint, items: [{ key: 'a', value: 'x'.repeat(size) }] });
    expect(await write(262_145)).toMatchObject({ status: 400 });
    expect(await write(262_144)).toMatchObject({ status: 200 });
  });
});

describe('permissions', () => {
  const ALL = [
    ...['get', 'list', 'create', 'update', 'delete'].map((verb) => `compute.firewalls.${verb}`),
    ...['get', 'setTags', 'setMetadata', 'getGuestAttributes'].map((verb) => `compute.instances.${verb}`),
    ...['compute.networks.updatePolicy', 'compute.globalOperations.get', 'compute.zoneOperations.get'],
    'iam.serviceAccounts.actAs',
  ];
  const SSH = `${RULES}/default-allow-ssh`;
  const DEFAULT = 'projects/p/global/networks/default';

  test.each([
    ['compute.firewalls.list', 'GET', RULES, undefined, 'projects/p'],
    ['compute.firewalls.get', 'GET', SSH, undefined, SSH],
    ['compute.firewalls.create', 'POST', RULES, OPEN, `${RULES}/open`],
    ['compute.firewalls.update', 'PATCH', SSH, {}, SSH],
    ['compute.firewalls.update', 'PUT', SSH, {}, SSH],
    ['compute.firewalls.delete', 'DELETE', SSH, undefined, SSH],
    ['compute.networks.updatePolicy', 'POST', RULES, OPEN, DEFAULT],
    ['compute.networks.updatePolicy', 'PATCH', SSH, {}, DEFAULT],
    ['compute.networks.updatePolicy', 'DELETE', SSH, undefined, DEFAULT],
    ['compute.instances.get', 'GET', VM, undefined, VM],
    ['compute.instances.setTags', 'POST', `${VM}/setTags`, {}, VM],
    ['compute.instances.setMetadata', 'POST', `${VM}/setMetadata`, {}, VM],
    ['compute.instances.getGuestAttributes', 'GET', `${VM}/getGuestAttributes`, undefined, VM],
  ])('without %s: %s %s', async (permission, method, path, body, resource) => {
    const { call } = cloud(ALL.filter((each) => each !== permission));
    const { status, body: answer } = await call(method, path, body);
    expect(status).toBe(403);
    expect(answer.error.message).toBe(`Required '${permission}' permission for '${resource}'`);
  });

  test('metadata need the right to act as the service account', async () => {
    const { call } = cloud(ALL.filter((each) => each !== 'iam.serviceAccounts.actAs'));
    const { body } = await call('POST', `${VM}/setMetadata`, {});
    expect(body.error.message).toMatch(/does not have access to service account/);
  });
});

describe('requests that do not fit', () => {
  test.each([
    [
      'an unknown field',
      'POST',
      RULES,
      { ...OPEN, sourceRange: [] },
      400,
      /Unknown name "sourceRange": Cannot find field/,
    ],
    ['an unknown parameter', 'GET', `${RULES}?limit=1`, undefined, 400, /Cannot bind query parameter/],
    ['a requestId that is no UUID', 'POST', `${RULES}?requestId=1`, OPEN, 400, /requestId/],
    [
      'the zero requestId',
      'POST',
      `${RULES}?requestId=00000000-0000-0000-0000-000000000000`,
      OPEN,
      400,
      /requestId/,
    ],
    ['no body', 'POST', RULES, undefined, 400, /Required field/],
    [
      'an unknown project',
      'GET',
      'projects/q/global/firewalls',
      undefined,
      404,
      /'projects\/q' was not found/,
    ],
    ['an unknown zone', 'GET', 'projects/p/zones/z-b/instances/vm', undefined, 404, /z-b/],
    ['an unknown network', 'POST', RULES, { ...OPEN, network: 'global/networks/n' }, 404, /networks\/n/],
    ['an unknown method', 'GET', 'projects/p/global/nothing', undefined, 404, /Not Found/],
  ])('%s', async (_, method, path, body, status, message) => {
    const answer = await cloud().call(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toMatch(message);
  });

  test.each([
    ['', 'Login Required.'],
    ['other', 'Invalid Credentials'],
  ])('token "%s"', async (token, message) => {
    const answer = await cloud().call('GET', RULES, undefined, token);
    expect(answer).toMatchObject({
      status: 401,
      body: { error: { status: 'UNAUTHENTICATED', errors: [{ message }] } },
    });
  });
});
