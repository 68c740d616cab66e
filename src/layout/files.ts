import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BodyStream } from '../registry/http';
import type { Descriptor } from '../registry/manifest';
import { isDigest } from '../values/digest';
import { damaged } from './damage';

/** So much of a file is in memory at a time. */
const CHUNK_BYTES = 256 * 1024;

/** The file of a piece of content. */
export function blobFile(root: string, digest: string): string {
  // Whatever asked for it: nothing else may become a path.
  if (!isDigest(digest)) throw new TypeError('this is no digest');
  return join(root, 'blobs', 'sha256', digest.slice('sha256:'.length));
}

/** Besides others; a link that somebody put there must not lead what is written elsewhere. */
const HERE = constants.O_NOFOLLOW ?? 0;
/** Made where it is not there, read, and written at its end. */
export const APPENDING = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | HERE;
const ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | HERE;

/** Opens a regular file to read. Null: there is none under that name, or a link. */
export async function openFile(path: string): Promise<FileHandle | null> {
  let file: FileHandle;
  try {
    // Without O_NONBLOCK, a named pipe would be waited for.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | HERE);
  } catch {
    return null;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

/** The whole of a small file. Null: there is none, or it is larger. */
export async function readSmall(path: string, mostBytes: number): Promise<Buffer | null> {
  const file = await openFile(path);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    return size > mostBytes ? null : await file.readFile();
  } finally {
    await file.close();
  }
}

/** Puts a file in the place of another at once, so that whoever reads it has one of the two. */
export async function writeAtOnce(
  path: string,
  content: string | Buffer,
  temporary = `${path}.new`,
): Promise<void> {
  const file = await open(temporary, ANEW, 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Sees to it that the names in a folder outlast a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Feeds the bytes of a file, from its beginning, to a hash; returns how many there were. */
export async function hashInto(file: FileHandle, hash: Hash): Promise<number> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return at;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** Whether a layout has a piece of content, of the right size and digest. */
export async function hasWhole(root: string, { digest, size }: Descriptor): Promise<boolean> {
  const file = await openFile(blobFile(root, digest));
  if (file === null) return false;
  try {
    if ((await file.stat()).size !== size) return false;
    const hash = createHash('sha256');
    await hashInto(file, hash);
    return `sha256:${hash.digest('hex')}` === digest;
  } finally {
    await file.close();
  }
}

/**
 * The bytes of a piece of content, of which the last ones come only when all have been held against the digest: who sends
 * them on has not sent something damaged whole.
 *
 * @throws ActionError `Backup is damaged`, as it is read
 */
export function verifiedBody(root: string, content: Descriptor): BodyStream {
  return { length: content.size, chunks: verifiedChunks(root, content) };
}

async function* verifiedChunks(root: string, { digest, size }: Descriptor): AsyncGenerator<Buffer> {
  const file = await openFile(blobFile(root, digest));
  if (file === null) throw damaged(root, digest, 'it is not there');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let at = 0;
    do {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - at), at);
      if (bytesRead === 0 && at < size) throw damaged(root, digest, `it ends after ${at} bytes of ${size}`);
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      at += bytesRead;
      if (at === size) {
        const found = hash.digest('hex');
        if (`sha256:${found}` !== digest) throw damaged(root, digest, `its content has the digest ${found}`);
      }
      if (bytesRead > 0) yield chunk;
    } while (at < size);
  } finally {
    await file.close();
  }
}
