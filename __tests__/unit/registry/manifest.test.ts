import fc from 'fast-check';
import { parseManifest } from '../../../src/registry/manifest';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const digest = `sha256:${'a'.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };

test('reads images and indexes', () => {
  expect(parseManifest(JSON.stringify({ mediaType: OCI, config, layers: [config] }), OCI)).toEqual({
    kind: 'image',
    config,
    layers: [config],
  });
  expect(parseManifest(JSON.stringify({ manifests: [config] }), INDEX)).toEqual({
    kind: 'index',
    manifests: [config],
  });
});

test.each([
  ['<html>', OCI, 'it is not JSON'],
  ['[]', OCI, 'not a JSON object'],
  ['{}', 'text/html', 'Content-Type is not'],
  [JSON.stringify({ mediaType: INDEX, config, layers: [] }), OCI, 'another type'],
  [JSON.stringify({ layers: [] }), OCI, 'no descriptor'],
  [JSON.stringify({ config }), OCI, 'lists no content'],
  [JSON.stringify({ config: { ...config, digest: 'sha256:../../x' }, layers: [] }), OCI, 'invalid digest'],
  [JSON.stringify({ config: { ...config, size: -1 }, layers: [] }), OCI, 'invalid size'],
  [JSON.stringify({ config: { ...config, size: 1e18 }, layers: [] }), OCI, 'invalid size'],
  [JSON.stringify({ config, layers: Array(1001).fill(config) }), OCI, 'more than 1000'],
])('refuses %.60s as %s', (text, type, reason) => {
  expect(() => parseManifest(text, type)).toThrow(reason);
});

test('never returns what is not a descriptor', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(OCI, INDEX), (text, type) => {
      try {
        const manifest = parseManifest(text, type);
        const all = manifest.kind === 'image' ? [manifest.config, ...manifest.layers] : manifest.manifests;
        for (const each of all) expect(each.digest).toMatch(/^sha/);
      } catch (error) {
        expect((error as Error).message).toMatch(/^(it is|its|the manifest)/);
      }
    }),
  );
});
