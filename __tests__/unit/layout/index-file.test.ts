import fc from 'fast-check';
import { formatIndex, isLayoutFile, LAYOUT_FILE, parseIndex } from '../../../src/layout/index-file';
import { hostileText } from '../../hostile-text';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const TYPE = 'application/vnd.oci.image.manifest.v1+json';
const ENTRY = {
  content: { mediaType: TYPE, digest: DIGEST, size: 7 },
  refName: 'app:1',
  containerdName: '203.0.113.9:5000/app:1',
};

test('what is written is read back', () => {
  const index = {
    of: '203.0.113.9:5000',
    entries: [ENTRY, { ...ENTRY, refName: null, containerdName: null }],
  };
  expect(parseIndex(formatIndex(index))).toEqual(index);
});

test('an index of others, without annotations', () => {
  const text = JSON.stringify({
    schemaVersion: 2,
    manifests: [{ mediaType: TYPE, digest: DIGEST, size: 7 }],
  });
  expect(parseIndex(text)).toEqual({
    of: null,
    entries: [{ content: ENTRY.content, refName: null, containerdName: null }],
  });
});

const withDigest = (digest: unknown) => ({ manifests: [{ mediaType: TYPE, digest, size: 7 }] });

test.each([
  ['', 'it lists no images'],
  ['null', 'it lists no images'],
  ['[]', 'it lists no images'],
  ['{"manifests":{}}', 'it lists no images'],
  ['{"manifests":[7]}', 'no descriptor'],
  [JSON.stringify(withDigest('../../../etc/passwd')), 'invalid digest'],
  [JSON.stringify(withDigest(`sha256:../${'a'.repeat(61)}`)), 'invalid digest'],
  [JSON.stringify(withDigest(`sha256:${'A'.repeat(64)}`)), 'invalid digest'],
  [JSON.stringify(withDigest(`sha512:${'a'.repeat(128)}`)), 'another digest than SHA-256'],
  [JSON.stringify({ manifests: [{ mediaType: TYPE, digest: DIGEST, size: -1 }] }), 'invalid size'],
  [JSON.stringify({ manifests: [{ mediaType: TYPE, digest: DIGEST, size: 1e30 }] }), 'invalid size'],
])('%s is refused', (text, why) => {
  expect(() => parseIndex(text)).toThrow(why);
});

test.each([
  [LAYOUT_FILE, true],
  ['{"imageLayoutVersion": "1.0.0"}\n', true],
  ['{"imageLayoutVersion":"1.1.0"}', true],
  ['{"imageLayoutVersion":"2.0.0"}', false],
  ['{"imageLayoutVersion":1}', false],
  ['{}', false],
  ['1.0.0', false],
  ['', false],
])('oci-layout: %j %j', (text, good) => {
  expect(isLayoutFile(text)).toBe(good);
});

test('whatever stands in it: an error, or digests and sizes that are some', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    hostileText,
    fc.constantFrom(DIGEST, 7, TYPE, `${DIGEST}/..`, -1, 1e300, null),
  );
  const entry = fc.oneof(
    value,
    fc.record(
      {
        mediaType: value,
        digest: value,
        size: value,
        annotations: fc.oneof(value, fc.record({ 'org.opencontainers.image.ref.name': value })),
      },
      { requiredKeys: [] },
    ),
  );
  const index = fc.oneof(
    value,
    fc.record({ manifests: fc.oneof(value, fc.array(entry)), annotations: value }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        hostileText,
        index.map((json) => JSON.stringify(json)),
      ),
      (text) => {
        isLayoutFile(text);
        try {
          for (const { content, refName } of parseIndex(text).entries) {
            expect(content.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
            expect(Number.isSafeInteger(content.size) && content.size >= 0).toBe(true);
            expect(refName === null || typeof refName === 'string').toBe(true);
          }
        } catch (error) {
          // What it says holds nothing of the text.
          expect((error as Error).message).toMatch(/^(?:it|the manifest) [a-zA-Z0-9 ,-]+$/);
        }
      },
    ),
  );
});
