import type { LocalImage } from '../docker/docker';
import type { Log } from '../job/log';
import type { RegistryApi } from '../registry/api';
import { type Descriptor, diffIdsOf } from '../registry/manifest';
import type { ServedManifest } from '../registry/served-content';
import { ActionError } from '../values/errors';

/*
 * How an image is verified, and why not with `docker pull`.
 *
 * A pull proves something only when it starts from nothing, and a daemon that has just pushed an image has all of
 * its layers: `docker pull` then downloads the manifest and looks at no layer. To make it start from nothing, the
 * image would have to be removed, which cannot be done while a container or another image uses it, and which would
 * take images away from the user for the time of the pull. So this run is the one that pulls: it downloads manifest,
 * configuration and layers over the registry's API into nothing, and holds every byte against its digest. The local
 * image is only read. That is also the same for the classic and for the containerd image store, which relate their
 * image ids to the digests of a registry differently:
 *
 * - classic: the id is the digest of the configuration;
 * - containerd: the id is the digest of the manifest or index, of which Docker ≥ 28 may have pushed one platform.
 *
 * An image is the same when its id is one of these digests, or when its configuration names the same layers.
 *
 * What was not uploaded by this run is not downloaded whole again: content that the tag led to before the push was
 * verified by the run that uploaded it. Of it, the smallest pieces up to KNOWN_BYTES together are still downloaded
 * and hashed, and of the others the last byte is read, which shows that the storage has all of it (a registry
 * answers HEAD from a cache, even for what its storage has lost).
 */

/** Of content that the registry had before, this much is downloaded and hashed again; more is only probed. */
const KNOWN_BYTES = 32 * 1024 * 1024;
/** Pieces of content that are read at the same time. */
const PARALLEL = 2;

/** What a run has verified so far: digests of content that was downloaded whole. */
export type Verified = Set<string>;

export interface PushedTag {
  /** `host:port`, for messages. */
  readonly registry: string;
  readonly path: string;
  readonly tag: string;
  /** The digest that the tag led to before the push; null for none. */
  readonly before: string | null;
}

/**
 * Pulls a pushed image back and compares it with the local one.
 *
 * @throws ActionError `Pushed image differs`, and those of RegistryApi
 */
export async function verifyPushed(
  registry: RegistryApi,
  pushed: PushedTag & { readonly served: ServedManifest },
  local: LocalImage,
  verified: Verified,
  log: Log,
): Promise<void> {
  const { path, served } = pushed;
  const closure = await closureOf(registry, path, served);
  const known = await knownBefore(registry, pushed, closure);
  const rest = closure.blobs.filter(({ digest }) => !closure.configs.has(digest));
  const [again, probed] = splitKnown(rest.filter(({ digest }) => known.has(digest) || verified.has(digest)));
  const fresh = rest.filter(({ digest }) => !known.has(digest) && !verified.has(digest));

  await inParallel([...fresh, ...again], (content) => registry.checkBlob(path, content));
  await inParallel(probed, (content) => registry.probeBlob(path, content));
  for (const { digest } of [...fresh, ...again]) verified.add(digest);

  if (!isSame(local, closure)) throw differs(pushed, local, closure);
  const read =
    sum([...fresh, ...again]) + sum([...closure.blobs].filter(({ digest }) => closure.configs.has(digest)));
  const probe = probed.length === 0 ? '' : `; ${probed.length} known layers are still complete`;
  log.info(
    `verified ${pushed.registry}/${path}@${served.digest}: ${megabytes(read)} read back and hashed${probe}`,
  );
}

/** An image or index with everything that it leads to. */
interface Closure {
  /** Digests of the index, if any, and of every image's manifest. */
  readonly manifests: ReadonlySet<string>;
  /** Text of every image's configuration, by digest. */
  readonly configs: ReadonlyMap<string, string>;
  /** Configurations and layers, each once. */
  readonly blobs: readonly Descriptor[];
}

async function closureOf(registry: RegistryApi, path: string, served: ServedManifest): Promise<Closure> {
  const images = served.manifest.kind === 'image' ? [served] : await imagesOf(registry, path, served);
  const manifests = new Set([served, ...images].map(({ digest }) => digest));
  const blobs = new Map<string, Descriptor>();
  const configs = new Map<string, string>();
  for (const { manifest } of images) {
    if (manifest.kind !== 'image') continue;
    for (const content of [manifest.config, ...manifest.layers]) blobs.set(content.digest, content);
    const { digest } = manifest.config;
    if (!configs.has(digest))
      configs.set(digest, (await registry.blob(path, manifest.config)).toString('utf8'));
  }
  return { manifests, configs, blobs: [...blobs.values()] };
}

async function imagesOf(
  registry: RegistryApi,
  path: string,
  index: ServedManifest,
): Promise<ServedManifest[]> {
  const { manifest } = index;
  if (manifest.kind !== 'index') return [];
  const images: ServedManifest[] = [];
  for (const { digest } of manifest.manifests) {
    const image = await registry.manifest(path, digest);
    if (image === null || image.manifest.kind !== 'image') {
      throw new ActionError('Pushed image differs', {
        doing: `verifying the index ${path}@${index.digest}`,
        happened: `the registry has no image manifest ${digest}, which the index names`,
        next: 'Push again; when it stays so, look at the log and the disk of the registry',
      });
    }
    images.push(image);
  }
  return images;
}

/** Digests of the content that the tag led to before the push. */
async function knownBefore(
  registry: RegistryApi,
  pushed: PushedTag & { served: ServedManifest },
  now: Closure,
) {
  if (pushed.before === null) return new Set<string>();
  if (pushed.before === pushed.served.digest) return new Set(now.blobs.map(({ digest }) => digest));
  const before = await registry.manifest(pushed.path, pushed.before);
  if (before?.manifest.kind !== 'image') return new Set<string>();
  return new Set(before.manifest.layers.map(({ digest }) => digest));
}

/** The smallest pieces up to KNOWN_BYTES together, and the others. */
function splitKnown(blobs: readonly Descriptor[]): [again: Descriptor[], probed: Descriptor[]] {
  const again: Descriptor[] = [];
  const probed: Descriptor[] = [];
  let total = 0;
  for (const content of [...blobs].sort((a, b) => a.size - b.size)) {
    total += content.size;
    (total <= KNOWN_BYTES ? again : probed).push(content);
  }
  return [again, probed];
}

function isSame(local: LocalImage, closure: Closure): boolean {
  if (closure.configs.has(local.id) || closure.manifests.has(local.id)) return true;
  const layers = local.diffIds.join();
  return layers !== '' && [...closure.configs.values()].some((config) => diffIdsOf(config).join() === layers);
}

function differs(pushed: PushedTag, local: LocalImage, closure: Closure): ActionError {
  return new ActionError('Pushed image differs', {
    doing: `verifying ${pushed.registry}/${pushed.path}:${pushed.tag}`,
    happened: `the registry serves the image ${[...closure.configs.keys()].join(', ')}, not the local ${local.id}`,
    next: 'See whether another job pushes the same tag at the same time, and push again',
  });
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, queue.length) }, worker));
}

function sum(blobs: readonly Descriptor[]): number {
  return blobs.reduce((total, { size }) => total + size, 0);
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
