import { gzipSync } from 'node:zlib';
import { parseContents } from '../../../../src/instance/images/contents';
import { storedManifest } from '../../../../src/instance/images/stored-manifest';
import { digestOf } from './example';

const hex = (name: string) => digestOf(name).slice(7);
const packed = (text: string) => gzipSync(text).toString('base64');

test('a listing, as scripts/images.sh prints it', () => {
  const manifest = JSON.stringify({ config: { digest: digestOf('c') }, layers: [{ digest: digestOf('l') }] });
  const contents = parseContents(
    packed(
      [
        '== now',
        '2000000000.5 1000 500 200',
        '== last',
        'changed 120 1999999999',
        'changed app',
        `needed ${hex('n')}`,
        '== asked',
        `${hex('l')} 1999999000`,
        '== blobs',
        `${hex('m')} 8 1999000000`,
        `${hex('l')} 16 1999000001`,
        '== links',
        `1999999001.25 a/b/_manifests/tags/1.0/current/link`,
        `1999999002.5 a/b/_manifests/revisions/sha256/${hex('m')}/link`,
        `1999999003 a/b/_manifests/revisions/sha256/${hex('x')}/link`,
        `1999999004 a/b/_layers/sha256/${hex('l')}/link`,
        '== contents',
        `a/b/_manifests/tags/1.0/current/link:${digestOf('m')}`,
        `a/b/_manifests/revisions/sha256/${hex('m')}/link:${digestOf('m')}`,
        '== uploads',
        '1999990000 8 a/b/_uploads/id/data',
        '1999990005 8 a/b/_uploads/id/hashstates/sha256/0',
        '== manifests',
        `${hex('m')} ${Buffer.byteLength(manifest)}`,
        '== bytes',
        manifest,
      ].join('\n'),
    ),
  );
  expect(contents).toEqual({
    now: 2_000_000_000.5,
    disk: { size: 1000, used: 500, images: 200 },
    repositories: [
      {
        name: 'a/b',
        tags: new Map([['1.0', { digest: digestOf('m'), pushed: 1_999_999_001.25 }]]),
        revisions: new Map([
          [digestOf('m'), 1_999_999_002.5],
          [digestOf('x'), 1_999_999_003],
        ]),
        broken: new Set([digestOf('x')]),
        sent: 1_999_999_004,
      },
    ],
    manifests: new Map([
      [
        digestOf('m'),
        { children: [], blobs: [digestOf('c'), digestOf('l')], subject: null, outdated: false },
      ],
    ]),
    blobs: new Map([
      [digestOf('m'), 4096],
      [digestOf('l'), 8192],
    ]),
    sent: new Map([
      [digestOf('l'), 1_999_999_004],
      [digestOf('m'), 1_999_000_000],
    ]),
    asked: new Map([[digestOf('l'), 1_999_999_000]]),
    last: {
      outcome: 'changed',
      heldMs: 120,
      endedAt: 1_999_999_999,
      changed: ['app'],
      needed: new Set([digestOf('n')]),
    },
    isCutOff: false,
    uploads: new Map([['a/b/_uploads/id', { bytes: 8192, written: 1_999_990_005 }]]),
  });
});

test.each([
  ['nothing', ''],
  ['no gzip', Buffer.from('hello').toString('base64')],
  ['no end', packed('== now\n1 2 3 4\n')],
  ['no time', packed('== blobs\n== bytes\n')],
  [
    'a manifest that is longer than what came',
    packed(`== now\n1 2 3 4\n== manifests\n${hex('m')} 900\n== bytes\n{}`),
  ],
])('%s is refused', (_, base64) => {
  expect(() => parseContents(base64)).toThrow(/^Unexpected listing: /);
});

test.each<[string, unknown, ReturnType<typeof storedManifest>]>([
  [
    'an index',
    { manifests: [{ digest: digestOf('a') }, { digest: 'sha512:x' }] },
    { children: [digestOf('a')], blobs: [], subject: null, outdated: false },
  ],
  [
    'an artifact',
    { blobs: [{ digest: digestOf('b') }], subject: { digest: digestOf('s') } },
    { children: [], blobs: [digestOf('b')], subject: digestOf('s'), outdated: false },
  ],
  [
    'schema 1',
    { schemaVersion: 1, fsLayers: [{ blobSum: digestOf('l') }] },
    { children: [], blobs: [digestOf('l')], subject: null, outdated: true },
  ],
  [
    'something odd',
    { config: 5, layers: [null, 7, { digest: 'x' }], subject: [] },
    { children: [], blobs: [], subject: null, outdated: false },
  ],
  ['a list', [], null],
])('a manifest: %s', (_, json, expected) => {
  expect(storedManifest(JSON.stringify(json))).toEqual(expected);
});

test('no manifest', () => expect(storedManifest('hello')).toBeNull());
