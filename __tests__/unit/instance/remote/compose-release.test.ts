import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksumOf, fetchCompose, type ToolCache } from '../../../../src/instance/remote/compose-release';
import type { Log } from '../../../../src/job/log';
import { sha256 } from '../../../../src/values/digest';

const log = { info: () => undefined } as unknown as Log;
const PROGRAM = 'a program';
const NAME = 'docker-compose-linux-aarch64';
const BASE = 'https://github.com/docker/compose/releases/download/v2.40.3';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'compose-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A tool cache in a directory, and a network that serves `files`. */
function toolCache(files: Record<string, string>): ToolCache & { readonly fetched: string[] } {
  const fetched: string[] = [];
  const place = (tool: string, version: string, arch: string) =>
    join(directory, `${tool}-${version}-${arch}`);
  return {
    fetched,
    find: (...key) => (existsSync(place(...key)) ? place(...key) : ''),
    async downloadTool(url) {
      fetched.push(url);
      const content = files[url];
      if (content === undefined) throw new Error('Unexpected HTTP response: 404');
      const path = join(directory, `download-${fetched.length}`);
      writeFileSync(path, content);
      return path;
    },
    async cacheFile(source, target, ...key) {
      mkdirSync(place(...key), { recursive: true });
      writeFileSync(join(place(...key), target), readFileSync(source));
      return place(...key);
    },
  };
}

const good = {
  [`${BASE}/checksums.txt`]: `${sha256('x')} *docker-compose-linux-x86_64\n${sha256(PROGRAM)} *${NAME}\n`,
  [`${BASE}/${NAME}`]: PROGRAM,
};
const fetch = (cache: ToolCache, pinned: string | null = null) =>
  fetchCompose({ version: 'v2.40.3', sha256: pinned }, 'v2.40.3', 'aarch64', { toolCache: cache, log });

test('fetches, checks and caches', async () => {
  const cache = toolCache(good);
  const program = await fetch(cache);
  expect(program).toMatchObject({ size: PROGRAM.length, sha256: sha256(PROGRAM), release: 'v2.40.3' });
  const chunks: Buffer[] = [];
  for await (const chunk of program.open()) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe(PROGRAM);
  await fetch(cache);
  expect(cache.fetched).toEqual([`${BASE}/checksums.txt`, `${BASE}/${NAME}`, `${BASE}/checksums.txt`]);
});

test('with a pin needs nothing but the file, and once it is cached nothing', async () => {
  const cache = toolCache({ [`${BASE}/${NAME}`]: PROGRAM });
  await fetch(cache, sha256(PROGRAM));
  await fetch(cache, sha256(PROGRAM));
  expect(cache.fetched).toEqual([`${BASE}/${NAME}`]);
});

test.each([
  ['Wrong checksum of Compose', { ...good, [`${BASE}/${NAME}`]: 'another program' }, null],
  ['Wrong checksum of Compose', good, sha256('pinned')],
  ['Compose could not be fetched', {}, null],
  ['Compose could not be fetched', { [`${BASE}/checksums.txt`]: 'none' }, null],
])('%s', async (title, files, pinned) => {
  await expect(fetch(toolCache(files), pinned)).rejects.toThrow(title);
});

test('a damaged file in the cache is fetched again', async () => {
  const cache = toolCache(good);
  await fetch(cache);
  writeFileSync(join(directory, 'docker-compose-v2.40.3-aarch64', 'docker-compose'), 'damaged');
  expect((await fetch(cache)).sha256).toBe(sha256(PROGRAM));
});

test.each([
  [`${'a'.repeat(64)} *${NAME}`, 'a'.repeat(64)],
  [`${'a'.repeat(64)}  ${NAME}\r`, 'a'.repeat(64)],
  [`${'a'.repeat(64)} *${NAME}.sigstore.json`, null],
  [`${'a'.repeat(63)} *${NAME}`, null],
  ['<html>', null],
])('checksumOf %j', (sums, expected) => {
  expect(checksumOf(NAME, sums)).toBe(expected);
});
