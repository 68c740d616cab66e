/** A piece of content: https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits, or sha512. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Its bytes are somewhere else, and no registry needs to have them. */
  readonly foreign?: true;
}

export type Manifest =
  | { readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[] }
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[] };

const IMAGE_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/** Every type of manifest that Docker can push, for the Accept header. */
export const MANIFEST_TYPES: readonly string[] = [...IMAGE_TYPES, ...INDEX_TYPES];

/** No manifest may be larger: https://github.com/distribution/distribution (registry/handlers/manifests.go). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** More layers, or images in an index, than anything real has. */
const MAX_ENTRIES = 1000;
const MAX_BLOB_BYTES = 100 * 1024 ** 3;

/**
 * Reads a manifest of the media type that it was served as.
 *
 * @throws Error that says what is wrong with it, without its text
 */
export function parseManifest(text: string, mediaType: string): Manifest {
  const isImage = IMAGE_TYPES.includes(mediaType);
  if (!isImage && !INDEX_TYPES.includes(mediaType))
    throw new Error('its Content-Type is not that of a manifest');
  const json = parseObject(text);
  // OCI: a mediaType that contradicts the one it is served as is an attack (CVE-2021-41190).
  if (json.mediaType !== undefined && json.mediaType !== mediaType) {
    throw new Error('the manifest is of another type than its Content-Type says');
  }
  if (!isImage) return { kind: 'index', manifests: descriptors(json.manifests) };
  return { kind: 'image', config: descriptor(json.config), layers: descriptors(json.layers) };
}

function parseObject(text: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  if (!isObject(json)) throw new Error('it is not a JSON object');
  return json;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function descriptors(value: unknown): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new Error('the manifest lists no content');
  if (value.length > MAX_ENTRIES)
    throw new Error(`the manifest lists more than ${MAX_ENTRIES} pieces of content`);
  return value.map(descriptor);
}

/**
 * Reads a descriptor.
 *
 * @throws Error that says what is wrong with it, without its text
 */
export function descriptor(value: unknown): Descriptor {
  if (!isObject(value)) throw new Error('the manifest holds no descriptor where one has to be');
  const { mediaType, digest, size } = value;
  if (typeof digest !== 'string' || !/^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/.test(digest)) {
    throw new Error('the manifest holds an invalid digest');
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > MAX_BLOB_BYTES) {
    throw new Error('the manifest holds an invalid size');
  }
  const content = { mediaType: typeof mediaType === 'string' ? mediaType : '', digest, size };
  return isForeign(content, value.urls) ? { ...content, foreign: true } : content;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers */
function isForeign({ mediaType }: Descriptor, urls: unknown): boolean {
  return /\.(?:foreign|nondistributable)\./.test(mediaType) && Array.isArray(urls) && urls.length > 0;
}
