import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ofDisk } from '../../../src/layout/disk';
import { exportLayout } from '../../../src/layout/export';
import { parseIndex } from '../../../src/layout/index-file';
import { partFile } from '../../../src/layout/part-file';
import { registryApi } from '../../../src/registry/api';
import { contentApi } from '../../../src/registry/content';
import { type RegistryHttp, registryHttp } from '../../../src/registry/http';
import { BRIEF } from '../../../src/registry/patient-reads';
import { Liar } from '../registry/liar';

const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

let root: string;
let liar: Liar;
let connection: RegistryHttp;
const told: string[] = [];

beforeEach(async () => {
  root = join(mkdtempSync(join(tmpdir(), 'layout-')), 'backup');
  liar = new Liar();
  connection = registryHttp(await liar.start(), { idleMs: 500, totalMs: 1000 });
  told.length = 0;
});
afterEach(async () => {
  connection.close();
  await liar.stop();
  rmSync(join(root, '..'), { recursive: true });
});

interface Wanted {
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string;
}

const write = (wanted: readonly Wanted[], parts = new Map<string, number>()) =>
  exportLayout(root, '203.0.113.9:5000', wanted, parts, {
    manifests: registryApi(connection, async () => {}),
    content: contentApi(connection, { sleep: async () => {}, patience: BRIEF }),
    onImage: (image) => told.push(image),
  });

function image(
  repository: string,
  tag: string | null,
  layers: readonly string[],
  more: readonly object[] = [],
) {
  const config = liar.blob(Buffer.from(`{"of":"${layers}"}`));
  const blobs = layers.map((layer) => liar.blob(Buffer.from(layer)));
  const { digest, size } = liar.put(repository, tag ?? 'none', IMAGE, {
    mediaType: IMAGE,
    config,
    layers: [...blobs, ...more],
  });
  return {
    wanted: { repository, tag, digest },
    digest,
    size,
    parts: [config, ...blobs].map((blob) => blob.digest),
  };
}

const blobs = () => readdirSync(join(root, 'blobs', 'sha256')).map((name) => `sha256:${name}`);
const index = () => parseIndex(readFileSync(join(root, 'index.json'), 'utf8'));
const downloads = (digest: string) => liar.seen.filter((line) => line.endsWith(digest)).length;

test('each piece of content is there once, right, and index.json says what is whose', async () => {
  const one = image('app', '1', ['base', 'one']);
  const two = image('team/app', '2', ['base', 'two']);
  const exported = await write([one.wanted, { ...one.wanted, tag: 'latest' }, two.wanted]);
  expect(new Set(blobs())).toEqual(new Set([one.digest, ...one.parts, two.digest, ...two.parts]));
  for (const digest of blobs())
    expect(
      createHash('sha256')
        .update(readFileSync(join(root, 'blobs', ...digest.split(':'))))
        .digest('hex'),
    ).toBe(digest.slice(7));
  expect(index()).toMatchObject({
    of: '203.0.113.9:5000',
    entries: [
      {
        refName: 'app:1',
        containerdName: '203.0.113.9:5000/app:1',
        content: { mediaType: IMAGE, digest: one.digest },
      },
      { refName: 'app:latest' },
      { refName: 'team/app:2', content: { digest: two.digest, size: two.size } },
    ],
  });
  expect(downloads(one.parts[1] as string)).toBe(1);
  expect(exported.bytes).toBe(exported.downloadedBytes);
  expect(existsSync(join(root, 'incomplete'))).toBe(false);
});

test('a second time nothing is downloaded but manifests; what is damaged is; what is not needed goes', async () => {
  const [one, two] = [image('app', '1', ['base', 'one']), image('app', '2', ['base', 'two'])];
  await write([one.wanted, two.wanted]);
  const damaged = one.parts[1] as string;
  writeFileSync(join(root, 'blobs', ...damaged.split(':')), 'BASE');
  writeFileSync(join(root, 'blobs', 'sha256', 'note'), 'of the owner');
  const exported = await write([one.wanted]);
  expect(exported.downloadedBytes).toBe(4);
  expect(downloads(two.parts[2] as string)).toBe(1);
  expect(new Set(blobs())).toEqual(new Set([one.digest, ...one.parts, 'sha256:note']));
  expect(readFileSync(join(root, 'blobs', ...damaged.split(':')), 'utf8')).toBe('base');
});

test('indexes bring what they name; what the registry lacks of one is said', async () => {
  const [a, b] = [image('m', null, ['a']), image('m', null, ['b'])];
  const absent = { mediaType: IMAGE, digest: `sha256:${'0'.repeat(64)}`, size: 5 };
  const inner = liar.put('m', 'inner', INDEX, {
    manifests: [{ mediaType: IMAGE, digest: a.digest, size: a.size }, absent],
  });
  const outer = liar.put('m', 'outer', INDEX, {
    manifests: [
      { mediaType: INDEX, ...inner },
      { mediaType: IMAGE, digest: b.digest, size: b.size },
    ],
  });
  const exported = await write([{ repository: 'm', tag: 'v', digest: outer.digest }]);
  expect(new Set(blobs())).toEqual(
    new Set([outer.digest, inner.digest, a.digest, b.digest, ...a.parts, ...b.parts]),
  );
  expect(exported.notes).toEqual([
    `m@${inner.digest} names ${absent.digest}, which the registry does not have; the others are there`,
  ]);
});

test('foreign layers stay where they are', async () => {
  const layer = {
    mediaType: FOREIGN,
    digest: `sha256:${'f'.repeat(64)}`,
    size: 9,
    urls: ['https://example.com/x'],
  };
  const { wanted, digest, parts } = image('win', '1', [], [layer]);
  expect((await write([wanted])).broken).toEqual([]);
  expect(new Set(blobs())).toEqual(new Set([digest, ...parts]));
});

test('a tag that is deleted meanwhile is left out; an image that lacks something is named, and the rest is there', async () => {
  const good = image('app', '1', ['base', 'one']);
  const gone = { repository: 'app', tag: 'gone', digest: `sha256:${'1'.repeat(64)}` };
  const bad = image('app', 'bad', ['base', 'lost']);
  liar.blobs.delete(bad.parts[2] as string);
  const exported = await write([gone, bad.wanted, good.wanted]);
  expect(exported.notes).toEqual(['app:gone was deleted while the backup was made, and is not in it']);
  expect(exported.broken).toEqual([expect.stringMatching(/^app:bad \(asking the registry .* status 404/)]);
  expect(index().entries.map(({ refName }) => refName)).toEqual(['app:1']);
  expect(new Set(blobs())).toEqual(new Set([good.digest, ...good.parts]));
});

test('content that is not what its digest says is not taken', async () => {
  const bad = image('app', '1', ['right']);
  liar.blobs.set(bad.parts[1] as string, Buffer.from('wrong'));
  const exported = await write([bad.wanted]);
  expect(exported.broken).toEqual([expect.stringContaining('what it sent has another digest')]);
  expect(blobs()).toEqual([]);
});

test('what is half there goes on; what is there and wrong begins anew', async () => {
  const good = image('app', '1', ['0123456789', 'abcdefghij']);
  const [, first = '', second = ''] = good.parts;
  await write([]);
  rmSync(join(root, 'incomplete'), { recursive: true, force: true });
  const ranges: (string | undefined)[] = [];
  const path = `/v2/app/blobs/${first}`;
  liar.lies.set(path, (request, response) => {
    ranges.push(request.headers.range);
    response.writeHead(206, { 'content-range': 'bytes 4-9/10' }).end('456789');
  });
  mkdirSync(join(root, 'incomplete'));
  writeFileSync(partFile(root, first), '0123');
  writeFileSync(partFile(root, second), 'x'.repeat(11));
  const exported = await write([good.wanted]);
  expect(ranges).toEqual(['bytes=4-']);
  expect(exported.broken).toEqual([]);
  expect(exported.downloadedBytes).toBe(exported.bytes - 4);
});

test('a registry that is away ends the run; index.json is that of before', async () => {
  const one = image('app', '1', ['one']);
  await write([one.wanted]);
  const two = image('app', '2', ['two']);
  liar.lies.set(`/v2/app/blobs/${two.parts[1]}`, (request) => request.socket.destroy());
  await expect(write([one.wanted, two.wanted])).rejects.toThrow('Registry not reachable');
  expect(index().entries.map(({ refName }) => refName)).toEqual(['app:1']);
});

test.each([
  ['a folder with something else', { 'package.json': '{}' }],
  [
    'a layout of somebody else',
    { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}', 'index.json': '{"manifests":[]}' },
  ],
])('%s is not written into', async (_, files) => {
  mkdirSync(root);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  await expect(write([])).rejects.toThrow('No place for a backup');
  for (const [name, text] of Object.entries(files)) expect(readFileSync(join(root, name), 'utf8')).toBe(text);
});

test('a disk that is too small is found out before anything is downloaded', async () => {
  const parts = new Map([[`sha256:${'a'.repeat(64)}`, 1e18]]);
  await expect(write([image('app', '1', ['x']).wanted], parts)).rejects.toThrow(
    'The runner’s disk is too small',
  );
  expect(liar.seen).toEqual([]);
});

test('names that Skopeo does not find are said', async () => {
  const strange = image('a__b', '1', ['x']);
  const { hints } = await write([strange.wanted]);
  expect(hints).toEqual([expect.stringMatching(/^Skopeo does not find a__b:1 by name, /)]);
});

test.each([
  ['blobs', (path: string) => symlinkSync(tmpdir(), join(path, 'blobs'))],
  ['incomplete', (path: string) => symlinkSync(tmpdir(), join(path, 'incomplete'))],
])('a link in the place of %s is not followed', async (_, link) => {
  mkdirSync(root);
  link(root);
  await expect(write([])).rejects.toThrow('No place for a backup');
});

test('a link in the place of a download is not followed', async () => {
  const one = image('app', '1', ['one']);
  await write([]);
  mkdirSync(join(root, 'incomplete'));
  const victim = join(root, '..', 'victim');
  writeFileSync(victim, 'mine');
  symlinkSync(victim, partFile(root, one.parts[1] as string));
  await expect(write([one.wanted])).rejects.toThrow('No place for a backup');
  expect(readFileSync(victim, 'utf8')).toBe('mine');
});

test('what the disk says is not taken for what the registry says', () => {
  const said = (code: string) => Object.assign(new Error(`${code}: write`), { code, syscall: 'write' });
  expect(String(ofDisk('/w/x', said('ENOSPC')))).toContain(
    'The runner’s disk is too small: writing the layout',
  );
  expect(String(ofDisk('/w/x', said('EIO')))).toContain('No place for a backup: writing the layout');
  const bug = new TypeError('x is undefined');
  expect(ofDisk('/w/x', bug)).toBe(bug);
});
