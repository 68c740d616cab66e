import { describe, expect, test } from '@jest/globals';
import { World } from '../compute/world.ts';
import { MetadataServer } from '../metadata/server.ts';

const ROOT = '/computeMetadata/v1';
const FLAVOR = { 'metadata-flavor': 'Google' };

function metadata(...items: { key: string; value: string }[]) {
  const world = new World('p', '123456789012', 'z-a');
  const vm = world.addInstance({ name: 'vm', zone: 'z-a', ip: '192.0.2.10', internalIp: '10.132.0.10' });
  vm.metadata = [{ key: 'enable-guest-attributes', value: 'TRUE' }, ...items];
  const server = new MetadataServer(world);
  const ask = (
    path: string,
    { method = 'GET', headers = FLAVOR as object, body = '', peer = '192.0.2.10' } = {},
  ) =>
    server.handle({
      method,
      url: new URL(`http://metadata.google.internal${path}`),
      headers: { ...headers },
      body: Buffer.from(body),
      peer,
    });
  return { ask, vm };
}

test("what Google's agent reads, with names as its own or in camelCase", async () => {
  const { ask } = metadata({ key: 'my-key', value: 'v' });
  const reply = await ask(`${ROOT}//?recursive=true&alt=json`);
  expect(reply.headers).toMatchObject({ 'metadata-flavor': 'Google', 'content-type': 'application/json' });
  expect(JSON.parse(String(reply.body))).toMatchObject({
    instance: {
      attributes: { 'enable-guest-attributes': 'TRUE', 'my-key': 'v' },
      hostname: 'vm.z-a.c.p.internal',
      networkInterfaces: [{ accessConfigs: [{ externalIp: '192.0.2.10' }], ip: '10.132.0.10' }],
      tags: [],
      zone: 'projects/123456789012/zones/z-a',
    },
    project: { numericProjectId: 123456789012, projectId: 'p' },
  });
});

test('the id is a number that is too large for a double', async () => {
  const { ask, vm } = metadata();
  const reply = await ask(`${ROOT}/?recursive=true&alt=json`);
  expect(String(reply.body)).toContain(`"id":${vm.id},`);
  expect((await ask(`${ROOT}/instance/id`)).body).toBe(vm.id);
});

test.each<[string, string, object, number, RegExp]>([
  ['without the header', `${ROOT}/instance/id`, {}, 403, /Metadata-Flavor/],
  [
    'through a proxy',
    `${ROOT}/instance/id`,
    { ...FLAVOR, 'x-forwarded-for': '1.2.3.4' },
    403,
    /X-Forwarded-For/,
  ],
  ['nothing there', `${ROOT}/instance/nothing`, FLAVOR, 404, /Not Found/],
  ['a directory', `${ROOT}/instance/attributes/`, FLAVOR, 200, /^enable-guest-attributes\n$/],
  ['a directory without its slash', `${ROOT}/instance/attributes`, FLAVOR, 301, /^$/],
  ['a value', `${ROOT}/project/project-id`, FLAVOR, 200, /^p$/],
])('%s', async (_, path, headers, status, body) => {
  const reply = await metadata().ask(path, { headers });
  expect(reply.status).toBe(status);
  expect(String(reply.body ?? '')).toMatch(body);
});

test('who has no address of an instance learns nothing', async () => {
  expect((await metadata().ask(`${ROOT}/instance/id`, { peer: '192.0.2.99' })).status).toBe(404);
});

describe('wait_for_change', () => {
  const path = `${ROOT}/?recursive=true&alt=json&wait_for_change=true`;

  test('answers at once to an old etag', async () => {
    expect((await metadata().ask(`${path}&last_etag=0`)).status).toBe(200);
  });

  test('answers when something changes', async () => {
    const { ask, vm } = metadata();
    const etag = (await ask(`${ROOT}/?recursive=true&alt=json`)).headers?.etag;
    const answer = ask(`${path}&last_etag=${etag}`);
    vm.metadata = [...vm.metadata, { key: 'ssh-keys', value: 'k' }];
    vm.changed.emit('changed');
    const reply = await answer;
    expect(String(reply.body)).toContain('"ssh-keys":"k"');
    expect(reply.headers?.etag).not.toBe(etag);
  });

  test('answers with the same after the time that was asked for', async () => {
    const { ask } = metadata();
    const etag = (await ask(`${ROOT}/?recursive=true&alt=json`)).headers?.etag;
    expect((await ask(`${path}&last_etag=${etag}&timeout_sec=0.05`)).headers?.etag).toBe(etag);
  });
});

describe('guest attributes', () => {
  const path = `${ROOT}/instance/guest-attributes/hostkeys/ssh-ed25519`;

  test('are written and read', async () => {
    const { ask } = metadata();
    expect((await ask(path, { method: 'PUT', body: 'AAAA' })).status).toBe(200);
    expect((await ask(path)).body).toBe('AAAA');
    expect((await ask(`${ROOT}/instance/guest-attributes/hostkeys/`)).body).toBe('ssh-ed25519\n');
    expect((await ask(path, { method: 'DELETE' })).status).toBe(200);
    expect((await ask(path)).status).toBe(404);
  });

  test('are off unless they were turned on', async () => {
    const { ask, vm } = metadata();
    vm.metadata = [];
    expect((await ask(path, { method: 'PUT', body: 'AAAA' })).status).toBe(403);
  });

  test('have a namespace and a key', async () => {
    const { ask } = metadata();
    const long = `${ROOT}/instance/guest-attributes/hostkeys/ssh/ed25519`;
    expect((await ask(long, { method: 'PUT', body: 'AAAA' })).status).toBe(400);
  });
});
