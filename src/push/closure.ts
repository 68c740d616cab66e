import { waitForAll } from '../job/wait-for-all';
import type { RegistryApi } from '../registry/api';
import type { Descriptor } from '../registry/manifest';
import type { ServedManifest } from '../registry/served-content';
import { ActionError } from '../values/errors';

/** Control flow's name for an image of which the registry lacks a part that it has on record. */
export const INCOMPLETE = 'image-incomplete';

/** An image or index with everything that it leads to. */
export interface Closure {
  /** Digests of the index, if any, and of every image's manifest. */
  readonly manifests: ReadonlySet<string>;
  /** Digests of every image's configuration. */
  readonly configs: ReadonlySet<string>;
  /** Configurations and layers, each once. */
  readonly blobs: readonly Descriptor[];
}

/**
 * Reads what an image or index consists of.
 *
 * @throws ActionError `Pushed image is incomplete` where an index names a manifest that is not there, and those of
 *   RegistryApi
 */
export async function closureOf(api: RegistryApi, path: string, served: ServedManifest): Promise<Closure> {
  const images = served.manifest.kind === 'image' ? [served] : await imagesOf(api, path, served);
  const blobs = new Map<string, Descriptor>();
  const configs = new Set<string>();
  for (const { manifest } of images) {
    if (manifest.kind !== 'image') continue;
    for (const content of [manifest.config, ...manifest.layers]) blobs.set(content.digest, content);
    configs.add(manifest.config.digest);
  }
  const manifests = new Set([served, ...images].map(({ digest }) => digest));
  return { manifests, configs, blobs: [...blobs.values()] };
}

async function imagesOf(api: RegistryApi, path: string, index: ServedManifest): Promise<ServedManifest[]> {
  const { manifest } = index;
  if (manifest.kind !== 'index') return [];
  const images: ServedManifest[] = [];
  for (const { digest } of manifest.manifests) {
    const image = await api.manifest(path, digest);
    if (image === null || image.manifest.kind !== 'image') {
      throw incomplete(
        `the index ${path}@${index.digest}`,
        `no image manifest ${digest}, which the index names`,
      );
    }
    images.push(image);
  }
  return images;
}

/** Pieces of content that are asked for at the same time. */
const PARALLEL = 2;

/**
 * Asks for every piece of an image whether the registry has it, whole, and downloads none. Not by HEAD, which a registry
 * answers from a cache that outlives a garbage collection (distribution, issue 1803): the last byte of each is read.
 *
 * @throws ActionError `Pushed image is incomplete`, and those of RegistryApi
 */
export async function requireWhole(api: RegistryApi, path: string, served: ServedManifest): Promise<void> {
  const { blobs } = await closureOf(api, path, served);
  await inParallel(blobs, (content) => api.probeBlob(path, content));
}

/**
 * Does something with each item, a few at a time. After an error no further item is begun, and the error is thrown when
 * those that were are done: whoever gets it closes what they use.
 */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    try {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    } finally {
      queue.length = 0;
    }
  };
  await waitForAll(Array.from({ length: Math.min(PARALLEL, queue.length) }, worker));
}

function incomplete(image: string, missing: string): ActionError {
  return new ActionError(
    'Pushed image is incomplete',
    {
      doing: `verifying ${image}`,
      happened: `the registry has ${missing}`,
      next: 'Push again; when it stays so, look at the log and the disk of the registry',
    },
    { code: INCOMPLETE },
  );
}
