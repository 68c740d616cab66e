import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import {
  type Descriptor,
  MANIFEST_TYPES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  parseManifest,
} from '../registry/manifest';
import { messageOf } from '../values/errors';
import { damaged } from './damage';
import { blobFile, readSmall } from './files';

/** A manifest of a layout, with what it leads to. */
export interface StoredImage {
  readonly content: Descriptor;
  /** Configuration and layers, but for those whose bytes are somewhere else. */
  readonly blobs: readonly Descriptor[];
  /** Of an index: the images that the layout has. */
  readonly children: readonly StoredImage[];
  /** Of an index: digests of those that it does not have. */
  readonly absent: readonly string[];
}

/** Indexes in indexes, deeper than anything real has. */
const MOST_DEPTH = 8;

/**
 * Reads an image of a layout: its manifests, which are held against their digests, and whether its blobs are there.
 *
 * @throws ActionError `Backup is damaged`
 */
export async function readImage(root: string, content: Descriptor, depth = 0): Promise<StoredImage> {
  const { digest } = content;
  const manifest = await readManifest(root, content);
  if (manifest.kind === 'image') {
    const blobs = [manifest.config, ...manifest.layers].filter(({ foreign }) => foreign !== true);
    for (const blob of blobs) await requireSize(root, blob);
    return { content, blobs, children: [], absent: [] };
  }
  if (depth === MOST_DEPTH) throw damaged(root, digest, `it is the ${MOST_DEPTH + 1}th index in one another`);
  const children: StoredImage[] = [];
  const absent: string[] = [];
  for (const child of manifest.manifests) {
    requireSha256(root, child);
    if (await isThere(root, child)) children.push(await readImage(root, child, depth + 1));
    else absent.push(child.digest);
  }
  return { content, blobs: [], children, absent };
}

async function readManifest(root: string, content: Descriptor): Promise<Manifest> {
  const { digest, mediaType } = content;
  if (!MANIFEST_TYPES.includes(mediaType)) {
    const type = mediaType === '' ? 'no type' : `the type ${mediaType}`;
    throw damaged(root, digest, `it has ${type}, which is none of an image that a registry takes`);
  }
  const bytes = await manifestBytes(root, content);
  try {
    return parseManifest(bytes.toString('utf8'), mediaType);
  } catch (error) {
    throw damaged(root, digest, messageOf(error));
  }
}

/**
 * The bytes of a manifest, held against its digest. They are read where they are needed: those of a whole index could be
 * more than there is memory.
 *
 * @throws ActionError `Backup is damaged`
 */
export async function manifestBytes(root: string, { digest, size }: Descriptor): Promise<Buffer> {
  const bytes = await readSmall(blobFile(root, digest), MAX_MANIFEST_BYTES);
  if (bytes === null) throw damaged(root, digest, 'it is not there, or no manifest');
  const found = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length === size && `sha256:${found}` === digest) return bytes;
  throw damaged(root, digest, `it has ${bytes.length} bytes with the digest ${found}`);
}

function requireSha256(root: string, { digest }: Descriptor): void {
  if (digest.startsWith('sha256:')) return;
  throw damaged(root, digest, 'it is named by another digest than SHA-256');
}

async function isThere(root: string, { digest }: Descriptor): Promise<boolean> {
  return (await sizeOf(root, digest)) !== null;
}

async function requireSize(root: string, blob: Descriptor): Promise<void> {
  requireSha256(root, blob);
  const size = await sizeOf(root, blob.digest);
  if (size === null) throw damaged(root, blob.digest, 'it is not there');
  if (size !== blob.size) throw damaged(root, blob.digest, `it has ${size} bytes in place of ${blob.size}`);
}

async function sizeOf(root: string, digest: string): Promise<number | null> {
  return stat(blobFile(root, digest)).then(
    ({ size }) => size,
    () => null,
  );
}
