import { type Descriptor, descriptor } from '../registry/manifest';
import type { EntryName } from './names';

/** One image in the index.json of a layout. */
export interface Entry extends EntryName {
  readonly content: Descriptor;
}

/** The index.json of a layout. */
export interface LayoutIndex {
  /** The registry that this action wrote it of; null: somebody else wrote it. */
  readonly of: string | null;
  readonly entries: readonly Entry[];
}

/** What says that a folder is a layout. */
export const LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}';

const REF_NAME = 'org.opencontainers.image.ref.name';
const CONTAINERD_NAME = 'io.containerd.image.name';
/** Says that this action wrote the layout, and may write it again. */
const OF = 'gce-registry-action.registry';

/**
 * The text of an index.json.
 *
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#indexjson-file
 */
export function formatIndex({ of, entries }: LayoutIndex & { readonly of: string }): string {
  const manifests = entries.map(({ content: { mediaType, digest, size }, refName, containerdName }) => ({
    mediaType,
    digest,
    size,
    annotations: {
      ...(refName === null ? {} : { [REF_NAME]: refName }),
      ...(containerdName === null ? {} : { [CONTAINERD_NAME]: containerdName }),
    },
  }));
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests,
    annotations: { [OF]: of },
  };
  return `${JSON.stringify(index, null, 1)}\n`;
}

/**
 * Reads an index.json, whoever wrote it.
 *
 * @throws Error that says what is wrong with it, without its text
 */
export function parseIndex(text: string): LayoutIndex {
  const json = objectOf(parse(text));
  if (json === null || !Array.isArray(json.manifests)) throw new Error('it lists no images');
  const entries = json.manifests.map((entry: unknown) => {
    const content = descriptor(entry);
    if (!content.digest.startsWith('sha256:'))
      throw new Error('it names an image by another digest than SHA-256');
    const annotations = objectOf(objectOf(entry)?.annotations) ?? {};
    return {
      content,
      refName: textOf(annotations[REF_NAME]),
      containerdName: textOf(annotations[CONTAINERD_NAME]),
    };
  });
  return { of: textOf(objectOf(json.annotations)?.[OF]), entries };
}

/** Whether a text is that of an oci-layout file that can be read. */
export function isLayoutFile(text: string): boolean {
  const version = textOf(objectOf(parse(text))?.imageLayoutVersion);
  return version !== null && /^1\.\d{1,5}\.\d{1,5}$/.test(version);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
