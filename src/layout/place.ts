import { lstat, mkdir, readdir, rm, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../values/bytes';
import { ActionError, messageOf } from '../values/errors';
import { show } from '../values/show';
import { noPlace, noRoom, ofDisk } from './disk';
import { readSmall, writeAtOnce } from './files';
import { isLayoutFile, LAYOUT_FILE, type LayoutIndex, parseIndex } from './index-file';
import { partsOf } from './part-file';

/** 10,000 images take 5 MB. */
const MOST_INDEX_BYTES = 32 * 1024 * 1024;

/**
 * Makes a folder ready to be written a layout into: a new one, an empty one, or one that this action wrote before. Nothing
 * else is ever written over.
 *
 * @throws ActionError `No place for a backup`
 */
export async function prepareFolder(root: string): Promise<void> {
  try {
    await mkdir(root, { recursive: true });
    const names = await readdir(root);
    if (names.length > 0 && !(await isOwn(root, names)))
      throw noPlace(root, 'it holds something else than a layout that this action wrote');
    for (const folder of [join(root, 'blobs'), join(root, 'blobs', 'sha256'), partsOf(root)]) {
      await mkdir(folder, { recursive: true });
      if (!(await lstat(folder)).isDirectory()) throw noPlace(root, `a link is in the place of ${folder}`);
    }
    await writeAtOnce(join(root, 'oci-layout'), LAYOUT_FILE);
  } catch (error) {
    throw ofDisk(root, error);
  }
}

/** A run that was cut off left no index.json, but nothing beside what such a run makes either. */
async function isOwn(root: string, names: readonly string[]): Promise<boolean> {
  if (names.includes('index.json')) return (await readIndex(root))?.of != null;
  return names.every((name) => /^(?:blobs|incomplete|(?:oci-layout|index\.json)(?:\.new)?)$/.test(name));
}

/** The index of a layout. Null: there is none, or none that can be read. */
async function readIndex(root: string): Promise<LayoutIndex | null> {
  const index = await readSmall(join(root, 'index.json'), MOST_INDEX_BYTES);
  try {
    return index === null ? null : parseIndex(index.toString('utf8'));
  } catch {
    return null;
  }
}

/**
 * Makes sure that a folder has room for what it does not have yet.
 *
 * @param parts bytes of all that it is to have, by digest
 * @throws ActionError `The runner’s disk is too small`
 */
export async function requireRoom(root: string, parts: ReadonlyMap<string, number>): Promise<void> {
  const there = new Set(await readdir(join(root, 'blobs', 'sha256')));
  const bytes = [...parts].reduce(
    (sum, [digest, size]) => sum + (there.has(digest.slice('sha256:'.length)) ? 0 : size),
    0,
  );
  const { bavail, bsize } = await statfs(root);
  if (bytes <= bavail * bsize) return;
  throw noRoom(root, `it needs ${formatBytes(bytes)} more, and ${formatBytes(bavail * bsize)} are free`);
}

/** Removes what no image of the layout needs: content of an earlier backup, and parts of downloads. */
export async function removeRest(root: string, needed: ReadonlyMap<string, number>): Promise<void> {
  await rm(partsOf(root), { recursive: true, force: true });
  const blobs = join(root, 'blobs', 'sha256');
  for (const name of await readdir(blobs))
    if (/^[0-9a-f]{64}$/.test(name) && !needed.has(`sha256:${name}`)) await unlink(join(blobs, name));
}

/**
 * Reads what a layout has to say of itself.
 *
 * @throws ActionError `No layout to restore`
 */
export async function readLayout(root: string): Promise<LayoutIndex> {
  const refuse = (happened: string) =>
    new ActionError('No layout to restore', {
      doing: `reading the OCI image layout in ${show(root, 300)}`,
      happened,
      next: 'Set `restore-from` to a folder with `oci-layout`, `index.json` and `blobs`, as `mode: backup` writes it; unpack an archive before',
    });
  const marker = await readSmall(join(root, 'oci-layout'), 4096);
  if (marker === null) {
    const isThere = await readdir(root).then(
      () => true,
      () => false,
    );
    throw refuse(isThere ? 'it has no file oci-layout' : 'there is no such folder');
  }
  if (!isLayoutFile(marker.toString('utf8')))
    throw refuse('its oci-layout is not of a version that is known');
  const index = await readSmall(join(root, 'index.json'), MOST_INDEX_BYTES);
  if (index === null) throw refuse('it has no index.json, or one of more than 32 MiB');
  try {
    return parseIndex(index.toString('utf8'));
  } catch (error) {
    throw refuse(`its index.json cannot be used: ${messageOf(error)}`);
  }
}
