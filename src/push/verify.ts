import type { LocalImage } from '../docker/docker';
import type { Log } from '../job/log';
import type { RegistryApi } from '../registry/api';
import type { Descriptor } from '../registry/manifest';
import type { ServedManifest } from '../registry/served-content';
import { ActionError } from '../values/errors';
import { type Closure, closureOf, inParallel } from './closure';

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
 * - containerd: the id is the digest of the manifest or index. Of an index whose images are not all there Docker pushes
 *   the one that is, and prints which (docker/cli, cli/command/image/push.go).
 *
 * An image is the same when its id is one of these digests. That its configuration names the same layers proves nothing:
 * two images can differ in their entry point alone.
 *
 * What was not uploaded by this run is not downloaded whole again: content that the tag led to before the push was
 * verified by the run that uploaded it. Of it, the smallest pieces up to KNOWN_BYTES together are still downloaded
 * and hashed, and of the others the last byte is read, which shows that the storage has all of it (a registry
 * answers HEAD from a cache, even for what its storage has lost).
 */

/** Control flow's name for an image that is not the one that was pushed. */
export const DIFFERS = 'image-differs';

/** Of content that the registry had before, this much is downloaded and hashed again; more is only probed. */
const KNOWN_BYTES = 32 * 1024 * 1024;
/** What a run has verified so far: digests of content that was downloaded whole. */
export type Verified = Set<string>;

/** What is verified. */
export interface PushedContent {
  /** `host:port`, for messages. */
  readonly registry: string;
  readonly path: string;
  readonly tag: string;
  /** What this run pushed, or found there. */
  readonly served: ServedManifest;
  /** The digest that the tag led to before the push; null for none. */
  readonly before: string | null;
}

/**
 * Whether a manifest is the local image: its id is the digest of the configuration (classic image store), or that of the
 * manifest or index (containerd image store).
 */
export function isImage({ digest, manifest }: ServedManifest, local: LocalImage): boolean {
  return digest === local.id || (manifest.kind === 'image' && manifest.config.digest === local.id);
}

/**
 * Downloads a pushed image, holds all of it against its digests, and compares it with the local one.
 *
 * @param partOf the image that was pushed is, by Docker's own word, the one of this index that is there
 * @throws ActionError `Pushed image differs`, `Pushed image is incomplete`, and those of RegistryApi
 */
export async function verifyPushed(
  api: RegistryApi,
  pushed: PushedContent,
  { local, partOf }: { readonly local: LocalImage; readonly partOf: string | null },
  verified: Verified,
  log: Log,
): Promise<void> {
  const { path, served } = pushed;
  const closure = await closureOf(api, path, served);
  if (!isImage(served, local) && partOf !== local.id) throw differs(pushed, local, closure);
  const known = await knownBefore(api, pushed, closure);
  // Configurations are small, and say what the image does.
  const isKnown = ({ digest }: Descriptor) =>
    !closure.configs.has(digest) && (known.has(digest) || verified.has(digest));
  const [again, probed] = splitKnown(closure.blobs.filter(isKnown));
  const read = [...closure.blobs.filter((content) => !isKnown(content)), ...again];

  await inParallel(read, (content) => api.checkBlob(path, content));
  await inParallel(probed, (content) => api.probeBlob(path, content));
  for (const { digest } of read) verified.add(digest);
  const probe = probed.length === 0 ? '' : `; ${probed.length} known layers are still complete`;
  log.info(
    `verified ${pushed.registry}/${path}@${served.digest}: ${megabytes(sum(read))} read back and hashed${probe}`,
  );
}

/** Digests of the content that the tag led to before the push. */
async function knownBefore(
  api: RegistryApi,
  pushed: PushedContent,
  now: Closure,
): Promise<ReadonlySet<string>> {
  if (pushed.before === null) return new Set<string>();
  if (pushed.before === pushed.served.digest) return new Set(now.blobs.map(({ digest }) => digest));
  const before = await api.manifest(pushed.path, pushed.before);
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

function differs(pushed: PushedContent, local: LocalImage, closure: Closure): ActionError {
  return new ActionError(
    'Pushed image differs',
    {
      doing: `verifying ${pushed.registry}/${pushed.path}:${pushed.tag}`,
      happened: `the registry serves the image ${[...closure.configs].join(', ')}, not the local ${local.id}`,
      next: 'See whether another job pushes the same tag at the same time, and push again',
    },
    { code: DIFFERS },
  );
}

function sum(blobs: readonly Descriptor[]): number {
  return blobs.reduce((total, { size }) => total + size, 0);
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
