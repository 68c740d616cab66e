import { describe, expect, test } from '@jest/globals';
import { handleFault } from '../faults/control.ts';
import { MetadataServer } from '../metadata/server.ts';
import { cloud, OPEN, RULES, VM } from './cloud.ts';

const ID = '6d1b6d0c-7a0f-4f7e-9b0e-2f4f6a1f0b11';

/** Fingerprint and items of the instance's metadata, for a setMetadata. */
async function metadata({ call }: ReturnType<typeof cloud>) {
  return (await call('GET', VM)).body.metadata as unknown as { fingerprint: string; items: object[] };
}

describe('requests', () => {
  test.each([
    ['api-503', 503, 'backendError'],
    ['api-rate-limit', 403, 'rateLimitExceeded'],
  ] as const)('%s refuses the next N mutations, and no read', async (name, status, reason) => {
    const { call, faults } = cloud();
    faults.start(name, 2);
    expect((await call('GET', RULES)).status).toBe(200);
    for (const _ of [1, 2])
      expect(await call('POST', RULES, OPEN)).toMatchObject({
        status,
        body: { error: { errors: [{ reason }] } },
      });
    expect((await call('POST', RULES, OPEN)).status).toBe(200);
  });

  test('api-reset acts, and tells nobody; the same requestId finds what was done, another one does not', async () => {
    const { send, call, ended, faults } = cloud();
    faults.start('api-reset', 1);
    expect(await send('POST', `${RULES}?requestId=${ID}`, OPEN)).toMatchObject({ reset: true });
    const again = await call('POST', `${RULES}?requestId=${ID}`, OPEN);
    expect(await ended(again)).toMatchObject({ status: 'DONE' });
    expect((await call('POST', RULES, OPEN)).status).toBe(409);
  });

  test('api-html is a page with the status of a success, to reads as well', async () => {
    const { send, faults } = cloud();
    faults.start('api-html', 1);
    const reply = await send('GET', RULES);
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'text/html' } });
    expect(String(reply.body)).toMatch(/^<!DOCTYPE html>/);
    expect((await send('GET', RULES)).headers).toMatchObject({
      'content-type': expect.stringContaining('json'),
    });
  });

  test('api-conflict: at once, then in the operation', async () => {
    const it = cloud();
    it.faults.start('api-conflict', 2);
    const body = await metadata(it);
    expect(await it.call('POST', `${VM}/setMetadata`, body)).toMatchObject({ status: 412 });
    const second = await it.call('POST', `${VM}/setMetadata`, body);
    expect(await it.ended(second)).toMatchObject({ error: { errors: [{ code: 'CONDITION_NOT_MET' }] } });
    const third = await it.call('POST', `${VM}/setMetadata`, body);
    expect(await it.ended(third)).not.toHaveProperty('error');
  });

  test('page-token-repeats leads to the same page again', async () => {
    const { call, faults } = cloud();
    faults.start('page-token-repeats', 1);
    const { nextPageToken } = (await call('GET', RULES)).body;
    expect((await call('GET', `${RULES}?pageToken=${nextPageToken}`)).body.nextPageToken).toBe(nextPageToken);
  });

  test('rules-quota: no further rule', async () => {
    const { call, faults } = cloud();
    faults.start('rules-quota', 1);
    expect(await call('POST', RULES, OPEN)).toMatchObject({
      status: 403,
      body: { error: { message: "Quota 'FIREWALLS' exceeded.  Limit: 4.0 globally." } },
    });
  });
});

describe('operations', () => {
  test('operation-error: DONE, with an error, and nothing done', async () => {
    const { call, ended, faults } = cloud();
    faults.start('operation-error', 1, 'QUOTA_EXCEEDED');
    expect(await ended(await call('POST', RULES, OPEN))).toMatchObject({
      status: 'DONE',
      httpErrorStatusCode: 403,
      error: { errors: [{ code: 'QUOTA_EXCEEDED' }] },
    });
    expect((await call('GET', `${RULES}/open`)).status).toBe(404);
    expect(await ended(await call('POST', RULES, OPEN))).not.toHaveProperty('error');
  });

  test('operation-endless: RUNNING until the fault is over', async () => {
    const { call, ended, faults } = cloud();
    faults.start('operation-endless', 1);
    const begun = await call('POST', RULES, OPEN);
    await new Promise((wake) => setTimeout(wake, 20));
    const path = `projects/p/global/operations/${begun.body.name}`;
    expect((await call('GET', path)).body).toMatchObject({ status: 'RUNNING' });
    faults.end('operation-endless');
    expect(await ended(begun)).toMatchObject({ status: 'DONE' });
  });
});

describe('an instance', () => {
  async function turn(it: ReturnType<typeof cloud>, method: 'PUT' | 'DELETE', name: string): Promise<void> {
    const reply = await handleFault(it.lab, method, name, { instance: 'vm' });
    expect(reply.status).toBe(200);
  }

  test.each([
    ['windows', { disks: [{ guestOsFeatures: expect.arrayContaining([{ type: 'WINDOWS' }]) }] }],
    ['two-nics', { networkInterfaces: [{ name: 'nic1' }, { name: 'nic0', networkIP: '10.132.0.10' }] }],
    ['oslogin', { metadata: { items: expect.arrayContaining([{ key: 'enable-oslogin', value: 'TRUE' }]) } }],
  ])('%s, and as it was afterwards', async (name, shown) => {
    const it = cloud();
    const before = (await it.call('GET', VM)).body;
    await turn(it, 'PUT', name);
    expect((await it.call('GET', VM)).body).toMatchObject(shown);
    await turn(it, 'DELETE', name);
    expect((await it.call('GET', VM)).body).toEqual(before);
  });

  test('ipv6-only has no address of the other family', async () => {
    const it = cloud();
    await turn(it, 'PUT', 'ipv6-only');
    const { networkInterfaces } = (await it.call('GET', VM)).body as unknown as {
      networkInterfaces: object[];
    };
    expect(networkInterfaces).toEqual([
      expect.objectContaining({ stackType: 'IPV6_ONLY', ipv6AccessConfigs: [expect.anything()] }),
    ]);
    expect(networkInterfaces[0]).not.toHaveProperty('networkIP');
    expect(networkInterfaces[0]).not.toHaveProperty('accessConfigs');
  });

  test('no-external-address has none', async () => {
    const it = cloud();
    await turn(it, 'PUT', 'no-external-address');
    const { networkInterfaces } = (await it.call('GET', VM)).body as unknown as {
      networkInterfaces: object[];
    };
    expect(networkInterfaces[0]).not.toHaveProperty('accessConfigs');
  });

  test('metadata-full: not one byte more', async () => {
    const it = cloud();
    await turn(it, 'PUT', 'metadata-full');
    const { fingerprint, items } = await metadata(it);
    expect(await it.call('POST', `${VM}/setMetadata`, { fingerprint, items })).toMatchObject({ status: 200 });
    const more = { fingerprint, items: [...items, { key: 'a', value: '' }] };
    expect(await it.call('POST', `${VM}/setMetadata`, more)).toMatchObject({ status: 400 });
  });

  test('tags-full: not one tag more', async () => {
    const it = cloud();
    await turn(it, 'PUT', 'tags-full');
    const tags = (await it.call('GET', VM)).body.tags as unknown as { fingerprint: string; items: string[] };
    expect(tags.items).toHaveLength(64);
    const more = { ...tags, items: [...tags.items, 'one-more'] };
    expect(await it.call('POST', `${VM}/setTags`, more)).toMatchObject({ status: 400 });
  });

  test('no-guest-attributes takes them away, and gives them back', async () => {
    const it = cloud();
    it.world.instances.get('vm')?.guestAttributes.set('hostkeys/ssh-ed25519', 'AAAA');
    const path = `${VM}/getGuestAttributes?queryPath=hostkeys/`;
    await turn(it, 'PUT', 'no-guest-attributes');
    expect((await it.call('GET', path)).status).toBe(404);
    await turn(it, 'DELETE', 'no-guest-attributes');
    expect((await it.call('GET', path)).status).toBe(200);
  });

  test('key-lag: the API knows at once, the instance only later', async () => {
    const it = cloud();
    const server = new MetadataServer(it.world);
    const url = new URL('http://metadata.google.internal/computeMetadata/v1/instance/attributes/a');
    const seen = async () =>
      (
        await server.handle({
          method: 'GET',
          url,
          headers: { 'metadata-flavor': 'Google' },
          body: Buffer.from(''),
          peer: '192.0.2.10',
        })
      ).status;
    it.faults.start('key-lag', 0.2);
    const { fingerprint, items } = await metadata(it);
    const body = { fingerprint, items: [...items, { key: 'a', value: 'b' }] };
    await it.ended(await it.call('POST', `${VM}/setMetadata`, body));
    expect((await metadata(it)).items).toHaveLength(items.length + 1);
    expect(await seen()).toBe(404);
    await new Promise((wake) => it.world.instances.get('vm')?.changed.once('changed', wake));
    expect(await seen()).toBe(200);
  });
});
