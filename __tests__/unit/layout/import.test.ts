import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importLayout, placesOf } from '../../../src/layout/import';
import { readLayout } from '../../../src/layout/place';
import { registryApi } from '../../../src/registry/api';
import { contentApi } from '../../../src/registry/content';
import { type RegistryHttp, registryHttp } from '../../../src/registry/http';
import { BRIEF } from '../../../src/registry/patient-reads';
import { digestOf, Liar } from '../registry/liar';

const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

let root: string;
let liar: Liar;
let connection: RegistryHttp;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'layout-'));
  mkdirSync(join(root, 'blobs', 'sha256'), { recursive: true });
  writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  liar = new Liar();
  connection = registryHttp(await liar.start(), { idleMs: 500, totalMs: 1000 });
});
afterEach(async () => {
  connection.close();
  await liar.stop();
  rmSync(root, { recursive: true });
});

const file = (digest: string) => join(root, 'blobs', 'sha256', digest.slice(7));

function blob(content: string | Buffer, mediaType = 'x/y') {
  const bytes = Buffer.from(content);
  writeFileSync(file(digestOf(bytes)), bytes);
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

const manifest = (value: object, mediaType: string) => blob(JSON.stringify(value), mediaType);
const image = (layers: readonly string[]) =>
  manifest(
    { mediaType: IMAGE, config: blob(`{"of":"${layers}"}`), layers: layers.map((layer) => blob(layer)) },
    IMAGE,
  );
const index = (...manifests: object[]) => manifest({ mediaType: INDEX, manifests }, INDEX);

const named = (content: object, refName: string) => ({
  ...content,
  annotations: { 'org.opencontainers.image.ref.name': refName },
});

const writeIndex = (...manifests: object[]) =>
  writeFileSync(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));

async function restore(
  overwrite = false,
  fallback: { repository: string; tag: string | null } | null = null,
) {
  const told: string[] = [];
  const images = placesOf(root, await readLayout(root), fallback);
  const imported = await importLayout(root, images, overwrite, {
    manifests: registryApi(connection, async () => {}),
    content: contentApi(connection, { sleep: async () => {}, patience: BRIEF }),
    sleep: async () => {},
    onRetry: () => undefined,
    onImage: (each) => told.push(each),
  });
  return { ...imported, told };
}

const served = (name: string) => {
  const found = liar.manifests.get(name);
  return found === undefined ? null : digestOf(found.bytes);
};
const puts = () => liar.seen.filter((line) => line.startsWith('PUT'));

test('blobs first, then children, the tag last; byte for byte', async () => {
  const [a, b] = [image(['base', 'a']), image(['base', 'b'])];
  const outer = index(index(a), b);
  writeIndex(named(outer, 'team/app:1'));
  const { images, broken } = await restore();
  expect(broken).toEqual([]);
  expect(images).toMatchObject([{ repository: 'team/app', tag: '1', became: 'restored' }]);
  expect([served('team/app 1'), served(`team/app ${a.digest}`)]).toEqual([outer.digest, a.digest]);
  const order = puts().map((line) => line.split('/').slice(-2).join('/'));
  expect(order.at(-1)).toBe('manifests/1');
  expect(order.lastIndexOf('uploads/1')).toBeLessThan(order.indexOf(`manifests/${b.digest}`));
});

test('a second time nothing is sent', async () => {
  writeIndex(named(image(['base', 'a']), 'app:1'));
  await restore();
  liar.seen.length = 0;
  const again = await restore();
  expect(again).toMatchObject({ sentBytes: 0, images: [{ became: 'there already' }] });
  expect(puts()).toEqual([]);
});

test('a manifest that is there without its layers is mended', async () => {
  const one = image(['base']);
  writeIndex(named(one, 'app:1'));
  await restore();
  liar.blobs.clear();
  const again = await restore();
  expect(again.images[0]?.became).toBe('there already');
  expect(liar.blobs.has(digestOf(Buffer.from('base')))).toBe(true);
});

test('a tag that stands for another image stays, or is moved where that is said', async () => {
  const one = image(['a']);
  const other = liar.put('app', '1', IMAGE, { other: true });
  writeIndex(named(one, 'app:1'));
  expect((await restore()).images[0]?.became).toBe('another is there');
  expect([served('app 1'), puts()]).toEqual([other.digest, []]);
  expect((await restore(true)).images[0]?.became).toBe('restored');
  expect(served('app 1')).toBe(one.digest);
});

test.each<[string, (digest: string) => void, RegExp]>([
  ['changed', (digest) => writeFileSync(file(digest), 'BAD'), /its content has the digest/],
  ['cut off', (digest) => writeFileSync(file(digest), 'ba'), /it has 2 bytes in place of 3/],
  ['gone', (digest) => rmSync(file(digest)), /it is not there/],
  [
    'a link',
    (digest) => {
      rmSync(file(digest));
      symlinkSync('/etc/hostname', file(digest));
    },
    /reading sha256:/,
  ],
  [
    'a pipe',
    (digest) => {
      rmSync(file(digest));
      execFileSync('mkfifo', [file(digest)]);
    },
    /reading sha256:/,
  ],
])('a layer that is %s: named, its image gets no tag, others are restored', async (_, harm, why) => {
  const [good, bad] = [image(['good']), image(['bad'])];
  writeIndex(named(bad, 'app:bad'), named(good, 'app:good'));
  const layer = digestOf(Buffer.from('bad'));
  harm(layer);
  const { broken } = await restore();
  expect(broken).toEqual([expect.stringMatching(why)]);
  expect(broken[0]).toContain(layer);
  expect([served('app bad'), served(`app ${bad.digest}`), served('app good')]).toEqual([
    null,
    null,
    good.digest,
  ]);
  expect(liar.blobs.has(layer)).toBe(false);
});

test('a manifest that is another than its digest says, or of no known type', async () => {
  const one = image(['a']);
  writeFileSync(file(one.digest), '{}');
  const artifact = manifest({}, 'application/vnd.oci.artifact.manifest.v1+json');
  writeIndex(named(one, 'app:1'), named(artifact, 'app:2'));
  const { broken } = await restore();
  expect([...broken].sort()).toEqual([
    expect.stringMatching(/^app:1 .*2 bytes with the digest/),
    expect.stringMatching(/^app:2 .*none of an image that a registry takes/),
  ]);
  expect(puts()).toEqual([]);
});

test('an index that lacks an image: it needs that of the registry', async () => {
  const here = image(['here']);
  const elsewhere = { mediaType: IMAGE, config: {}, layers: [] };
  const digest = digestOf(Buffer.from(JSON.stringify(elsewhere)));
  writeIndex(named(index(here, { mediaType: IMAGE, digest, size: 5 }), 'app:1'));
  expect((await restore()).broken).toEqual([expect.stringContaining(`the layout lacks the image ${digest}`)]);
  expect(served('app 1')).toBeNull();
  liar.put('app', 'x', IMAGE, elsewhere);
  expect((await restore()).broken).toEqual([]);
});

test('indexes without end', async () => {
  let inner = image(['a']);
  for (let depth = 0; depth < 12; depth += 1) inner = index(inner);
  writeIndex(named(inner, 'app:1'));
  expect((await restore()).broken).toEqual([expect.stringContaining('the 9th index in one another')]);
});

test('names of others: with what stands in reserve; two that want the same place; none', async () => {
  const [one, two] = [image(['a']), image(['b'])];
  writeIndex(named(one, '1.0'), two);
  await expect(restore()).rejects.toThrow('Layout does not say where to');
  const { images } = await restore(false, { repository: 'x/y', tag: null });
  expect(images.map(({ repository, tag }) => [repository, tag])).toEqual([
    ['x/y', '1.0'],
    ['x/y', null],
  ]);
  expect(served(`x/y ${two.digest}`)).toBe(two.digest);
  writeIndex(named(one, 'ghcr.io/app:1'), named(two, 'app:1'));
  await expect(restore()).rejects.toThrow('two different images of it go to app:1');
});

test.each<[string, () => void, string]>([
  ['no folder', () => rmSync(root, { recursive: true }), 'there is no such folder'],
  ['no oci-layout', () => rmSync(join(root, 'oci-layout')), 'it has no file oci-layout'],
  [
    'of another version',
    () => writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion":"9"}'),
    'not of a version',
  ],
  ['no index.json', () => undefined, 'it has no index.json'],
  ['an index.json of nothing', () => writeFileSync(join(root, 'index.json'), '[]'), 'it lists no images'],
])('%s', async (_, harm, why) => {
  harm();
  await expect(readLayout(root)).rejects.toThrow(why);
  mkdirSync(root, { recursive: true });
});

test('a registry that refuses one image keeps none of the others from it; one that is away ends the run', async () => {
  const [good, bad] = [image(['good']), image(['bad'])];
  writeIndex(named(bad, 'app:bad'), named(good, 'app:good'));
  liar.lies.set('/v2/app/manifests/bad', (request, response) =>
    request.method === 'PUT' ? response.writeHead(500).end() : response.writeHead(404).end(),
  );
  expect((await restore()).broken).toEqual([expect.stringContaining('status 500')]);
  expect(served('app good')).toBe(good.digest);
  liar.lies.set('/v2/app/manifests/bad', (request) => request.socket.destroy());
  await expect(restore()).rejects.toThrow('Registry not reachable');
});

test('a layer that many images need is sent once', async () => {
  const names = Array.from({ length: 12 }, (_, number) =>
    named(image(['base', `${number}`]), `r${number % 3}/app:${number}`),
  );
  writeIndex(...names);
  await restore();
  // This registry has no repositories of blobs: what is there is there for all.
  const base = createHash('sha256').update('base').digest('hex');
  expect(liar.blobs.has(`sha256:${base}`)).toBe(true);
  expect(puts().filter((line) => line.includes('/blobs/'))).toHaveLength(1 + 12 + 12);
});
