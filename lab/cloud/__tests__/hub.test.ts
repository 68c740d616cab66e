import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { UpstreamFaults } from '../front/faults.ts';
import { Hub } from '../front/hub.ts';

/** Says which path it was asked for. */
const upstream = createServer((request, response) => response.end(request.url));
let front: ReturnType<typeof createServer>;
let hub: Hub;

const listening = (server: ReturnType<typeof createServer>) =>
  new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ),
  );

let address: string;
let authorization: string;

beforeAll(async () => {
  hub = new Hub(await listening(upstream), { 'library/caddy': 'library/caddy-1234' }, new UpstreamFaults());
  front = createServer((request, response) =>
    hub.registry(request, response, new URL(`http://hub${request.url}`)),
  );
  address = await listening(front);
  const scope = ['library/caddy', 'library/registry'].map((name) => `repository:${name}:pull`).join(' ');
  const url = new URL(`http://auth/token?service=registry.docker.io&scope=${encodeURIComponent(scope)}`);
  const { body } = hub.token({ method: 'GET', url, headers: {}, body: Buffer.alloc(0) } as never);
  authorization = `Bearer ${JSON.parse(String(body)).token}`;
});
afterAll(() => {
  front.close();
  upstream.close();
});

const asked = async (path: string) =>
  (await fetch(`${address}${path}`, { headers: { authorization } })).text();

test('a tag that stands for another image does so by its name alone, until it is as usual', async () => {
  hub.publish('library/registry', '3', 'gcelab-3-newer');
  hub.publish('library/caddy', '2', 'gcelab-2-newer');
  expect(await asked('/v2/library/registry/manifests/3')).toBe(
    '/v2/library/registry/manifests/gcelab-3-newer',
  );
  expect(await asked('/v2/library/registry/manifests/2')).toBe('/v2/library/registry/manifests/2');
  expect(await asked('/v2/library/registry/manifests/sha256:3')).toBe(
    '/v2/library/registry/manifests/sha256:3',
  );
  expect(await asked('/v2/library/caddy/manifests/2')).toBe(
    '/v2/library/caddy-1234/manifests/gcelab-2-newer',
  );
  expect(await asked('/v2/library/caddy/tags/list')).toBe('/v2/library/caddy-1234/tags/list');
  hub.unpublish();
  expect(await asked('/v2/library/registry/manifests/3')).toBe('/v2/library/registry/manifests/3');
});
