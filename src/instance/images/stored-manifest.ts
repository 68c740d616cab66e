import { isDigest } from '../../values/digest';

/** What a manifest on the registry's disk refers to. */
export interface StoredManifest {
  /** Manifests that it has as its parts: those of an index. */
  readonly children: readonly string[];
  /** Its configuration and layers. */
  readonly blobs: readonly string[];
  /** The manifest that it says something of: a signature, an SBOM. */
  readonly subject: string | null;
  /** Nothing that the registry of today reads; it is left as it is. */
  readonly outdated: boolean;
}

/**
 * Reads a manifest of any kind: an image, an index, an artifact, and one of schema 1, which registry 3 does not read any
 * more. Null: it is none.
 *
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md
 */
export function storedManifest(text: string): StoredManifest | null {
  const json = objectOf(text);
  if (json === null) return null;
  const children = digestsOf(json.manifests);
  const blobs = [...digestsOf([json.config]), ...digestsOf(json.layers), ...digestsOf(json.blobs)];
  const [subject = null] = digestsOf([json.subject]);
  if (json.schemaVersion !== 1) return { children, blobs, subject, outdated: false };
  const layers = listOf(json.fsLayers).flatMap((layer) => (isDigest(layer.blobSum) ? [layer.blobSum] : []));
  return { children: [], blobs: layers, subject: null, outdated: true };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : null;
  } catch {
    return null;
  }
}

function listOf(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null);
}

function digestsOf(descriptors: unknown): string[] {
  return listOf(descriptors).flatMap(({ digest }) => (isDigest(digest) ? [digest] : []));
}
