import { randomBytes } from 'node:crypto';
import { type RegistryApi, registryApi } from '../../../src/registry/api';
import { flyCanary } from '../../../src/registry/canary';
import type { Endpoint } from '../../../src/registry/endpoint';
import { registryHttp } from '../../../src/registry/http';
import { speaksHttps } from '../../../src/registry/scheme';
import { digestOf, Liar } from './liar';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
let liar: Liar;
let api: RegistryApi;
let port: number;
let endpoint: Endpoint;

beforeEach(async () => {
  liar = new Liar();
  endpoint = await liar.start();
  port = endpoint.port;
  api = registryApi(registryHttp(endpoint, { idleMs: 200, totalMs: 400 }), async () => {});
});
afterEach(async () => {
  api.close();
  await liar.stop();
});

function image() {
  const config = liar.blob(Buffer.from('{}'));
  const layer = liar.blob(Buffer.from('layer'));
  return { ...liar.put('a', '1', OCI, { mediaType: OCI, config, layers: [layer] }), layer };
}

test('reads manifests and blobs by what arrives', async () => {
  const { digest, layer } = image();
  expect(await api.manifest('a', '1')).toMatchObject({ digest, manifest: { kind: 'image' } });
  expect(await api.manifest('a', digest)).toMatchObject({ digest });
  expect(await api.manifest('a', 'none')).toBeNull();
  await api.checkBlob('a', layer);
  await api.probeBlob('a', layer);
});

describe('a registry that lies about a manifest', () => {
  const path = '/v2/a/manifests/1';
  test.each<[string, (liar: Liar) => void, string]>([
    [
      'by a digest that is not that of the content',
      (l) =>
        l.lies.set(path, (_, r) =>
          r
            .writeHead(200, { 'content-type': OCI, 'docker-content-digest': digestOf(Buffer.from('x')) })
            .end(l.manifests.get('a 1')?.bytes),
        ),
      'Docker-Content-Digest is not the digest',
    ],
    [
      'by its Content-Type',
      (l) => l.lies.set(path, (_, r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>')),
      'Content-Type is not that of a manifest',
    ],
    [
      'by a redirect to elsewhere',
      (l) => l.lies.set(path, (_, r) => r.writeHead(302, { location: 'http://192.0.2.1/' }).end()),
      'redirect (status 302)',
    ],
    [
      'by a body without end',
      (l) => l.lies.set(path, (_, r) => endless(r.writeHead(200, { 'content-type': OCI }))),
      'it sent more than the',
    ],
    [
      'by a status',
      (l) => l.lies.set(path, (_, r) => r.writeHead(400).end('{"errors":[{"code":"BAD_::X"}]}')),
      'status 400.',
    ],
  ])('%s', async (_, lie, reason) => {
    image();
    lie(liar);
    await expect(api.manifest('a', '1')).rejects.toThrow(reason);
  });

  test('by another manifest than the one that was asked for', async () => {
    const { digest } = image();
    liar.lies.set(`/v2/a/manifests/${digest}`, (_, r) => r.writeHead(200, { 'content-type': OCI }).end('{}'));
    await expect(api.manifest('a', digest)).rejects.toThrow('it sent a manifest with the digest sha256:');
  });
});

describe('a registry that lies about a blob', () => {
  test.each<[string, string, 'checkBlob' | 'probeBlob', string]>([
    ['by other content of the same length', 'LAYER', 'checkBlob', 'it sent content with the digest'],
    ['by less', 'lay', 'checkBlob', 'it sent 3 bytes of content in place of 5'],
    ['by more', 'layer and more', 'checkBlob', 'it sent more than the 5 bytes'],
    ['by less', 'lay', 'probeBlob', 'does not have all 5 bytes'],
  ])('%s (%s)', async (_, content, method, reason) => {
    const { layer } = image();
    liar.blobs.set(layer.digest, Buffer.from(content));
    await expect(api[method]('a', layer)).rejects.toThrow(reason);
  });

  test('by having none', async () => {
    const { layer } = image();
    liar.blobs.clear();
    await expect(api.checkBlob('a', layer)).rejects.toThrow('status 404 (BLOB_UNKNOWN)');
    await expect(api.probeBlob('a', layer)).rejects.toThrow('status 404 (BLOB_UNKNOWN)');
  });

  test('by an answer that breaks off, which is tried three times', async () => {
    const { layer } = image();
    const path = `/v2/a/blobs/${layer.digest}`;
    liar.lies.set(path, (_, r) => r.writeHead(200, { 'content-length': 5 }).write('la', () => r.destroy()));
    await expect(api.checkBlob('a', layer)).rejects.toThrow('ended too early');
    expect(liar.seen.filter((line) => line.endsWith(path))).toHaveLength(3);
  });
});

test('waits no longer than it has to, for silence and for a trickle', async () => {
  const { layer } = image();
  liar.lies.set('/v2/a/manifests/1', () => {});
  await expect(api.manifest('a', '1')).rejects.toThrow('nothing arrived for 0.2 s');
  liar.lies.set(`/v2/a/blobs/${layer.digest}`, (_, r) => {
    r.writeHead(200, { 'content-length': 5 });
    const timer = setInterval(() => r.write('l'), 150);
    r.on('close', () => clearInterval(timer));
  });
  await expect(api.checkBlob('a', layer)).rejects.toThrow(/no complete answer within|ended too early/);
});

test('a large download keeps no memory', async () => {
  const size = 48 * 1024 * 1024;
  const layer = liar.blob(randomBytes(size));
  const patient = registryApi(registryHttp(endpoint), async () => {});
  const before = process.memoryUsage().arrayBuffers;
  await patient.checkBlob('a', { ...layer, size });
  await patient.checkBlob('a', { ...layer, size });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  patient.close();
});

test('tries again what can be mended, and only that', async () => {
  const { layer } = image();
  let left = 2;
  const path = `/v2/a/blobs/${layer.digest}`;
  liar.lies.set(path, (_, r) => {
    if (left-- > 0) return void r.writeHead(502).end();
    r.end('layer');
  });
  await api.checkBlob('a', layer);
  liar.lies.set(path, (_, r) => r.writeHead(401).end());
  await expect(api.checkBlob('a', layer)).rejects.toThrow('status 401');
  expect(liar.seen.filter((line) => line.endsWith(path))).toHaveLength(4);
});

test('an upload that is sent elsewhere is refused', async () => {
  liar.lies.set('/v2/a/blobs/uploads/', (_, r) =>
    r.writeHead(202, { location: 'http://192.0.2.1/v2/a/blobs/uploads/1' }).end(),
  );
  await expect(api.putBlob('a', digestOf(Buffer.from('x')), Buffer.from('x'))).rejects.toThrow(
    'somewhere else',
  );
});

test('a registry that is not there is not reachable', async () => {
  await liar.stop();
  await expect(api.manifest('a', '1')).rejects.toMatchObject({ title: 'Registry not reachable' });
  expect(await speaksHttps('localhost', port)).toBe(false);
  await liar.start();
});

test.each([502, 504])('status %d is the front that finds nobody behind it', async (status) => {
  liar.lies.set('/v2/a/blobs/uploads/', (_, r) => r.writeHead(status).end());
  const put = api.putBlob('a', digestOf(Buffer.from('x')), Buffer.from('x'));
  await expect(put).rejects.toMatchObject({
    title: 'Registry not reachable',
    problem: { happened: `what stands before it answered with status ${status}` },
  });
});

test('an HTTP registry does not speak HTTPS', async () => {
  expect(await speaksHttps('localhost', port)).toBe(false);
});

describe('canary', () => {
  test('is pushed, read back and removed', async () => {
    const { digest, removed } = await flyCanary(api);
    expect(removed).toBe(true);
    expect(digest).toBe('sha256:cd9c9c887022e9796f2bd35142d50354949da66e3d239d825399461aebcef644');
    expect(liar.manifests.size).toBe(0);
  });

  test('a registry that forgets it is found out', async () => {
    liar.manifests.set = () => liar.manifests;
    await expect(flyCanary(api)).rejects.toMatchObject({ title: 'Canary lost' });
  });

  test('a registry that forbids deletion keeps it', async () => {
    const put = liar.manifests.set.bind(liar.manifests);
    liar.manifests.set = (key, value) => {
      const path = `/v2/${key.replace(' ', '/manifests/')}`;
      liar.lies.set(path, (request, r) =>
        request.method === 'DELETE'
          ? r.writeHead(405).end()
          : r.writeHead(200, { 'content-type': value.type }).end(value.bytes),
      );
      return put(key, value);
    };
    expect(await flyCanary(api)).toMatchObject({ removed: false });
  });
});

function endless(response: import('node:http').ServerResponse): void {
  const chunk = Buffer.alloc(1 << 20, 32);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
