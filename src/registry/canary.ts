import { createHash } from 'node:crypto';
import { ActionError } from '../values/errors';
import type { RegistryApi } from './api';
import type { Descriptor } from './manifest';

/** Where the canary goes. The repository stays in the catalog, empty: the API has no way to remove it. */
export const CANARY_REPOSITORY = 'gce-registry-action/canary';

/** What came of a canary. */
export interface CanaryResult {
  readonly digest: string;
  /** False: the registry does not allow deletion, so the canary's few hundred bytes stay, without a tag. */
  readonly removed: boolean;
}

/** An empty tar archive: two blocks of zeros. */
const LAYER = Buffer.alloc(1024);
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** Another health check may remove the same canary at the same moment: then it is pushed again. */
const TRIES = 5;

/**
 * Pushes a small image with constant content over the registry's API, reads it back, compares it byte by byte, and
 * removes it. It is pushed by digest, so no tag ever exists. Its two blobs, of some hundred bytes, are left to the
 * registry's garbage collection: removed here, they would be missing in another health check of the same moment.
 *
 * @param onPush is given its digest before it is pushed
 * @throws ActionError `Canary lost`, and those of RegistryApi
 */
export async function flyCanary(
  registry: RegistryApi,
  onPush: (digest: string) => void = () => undefined,
): Promise<CanaryResult> {
  const { blobs, manifest, digest } = canary();
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    for (const { content, bytes } of blobs) {
      await registry.putBlob(CANARY_REPOSITORY, content.digest, bytes);
    }
    onPush(digest);
    await registry.putManifest(CANARY_REPOSITORY, digest, MANIFEST_TYPE, manifest);
    // The digest is that of what arrived, so this compares every byte.
    const served = await registry.manifest(CANARY_REPOSITORY, digest);
    if (served === null) continue;
    for (const { content } of blobs) await registry.checkBlob(CANARY_REPOSITORY, content);
    return { digest, removed: await registry.deleteManifest(CANARY_REPOSITORY, digest) };
  }
  throw new ActionError('Canary lost', {
    doing: `reading ${CANARY_REPOSITORY}@${digest} back from the registry`,
    happened: 'the registry took the image, and then did not have it',
    next: 'Look at the log of the registry on the instance; after a garbage collection it has to be restarted',
  });
}

/** The canary: the same bytes, always. */
function canary() {
  const layer = describe(LAYER, LAYER_TYPE);
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { 'org.opencontainers.image.title': 'Canary of gce-registry-action' } },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const described = describe(config, CONFIG_TYPE);
  const manifest = json({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: described, layers: [layer] });
  const blobs = [
    { content: layer, bytes: LAYER },
    { content: described, bytes: config },
  ];
  return { blobs, manifest, digest: digestOf(manifest) };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function describe(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
