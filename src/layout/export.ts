import { join } from 'node:path';
import { Slots } from '../job/slots';
import { waitForAll } from '../job/wait-for-all';
import { ofDisk } from './disk';
import { Export, type ExportTools, type Wanted, type Written } from './export-image';
import { syncFolder, writeAtOnce } from './files';
import { type Entry, formatIndex } from './index-file';
import { isSpecified, refNameOf } from './names';
import { prepareFolder, removeRest, requireRoom } from './place';

/** What came of an export. */
export interface Exported {
  readonly written: readonly Written[];
  /** Bytes of all content of the layout. */
  readonly bytes: number;
  readonly downloadedBytes: number;
  readonly notes: readonly string[];
  /** What is good to know, and nothing that is wrong. */
  readonly hints: readonly string[];
  /** Images that are not there since the registry does not have all of them, with what it lacks. */
  readonly broken: readonly string[];
}

/** Images that are worked on at the same time. */
const IMAGES = 8;

/**
 * Writes images into a folder as an OCI image layout. Each piece of content is there once; index.json comes last, at once,
 * so that what was there before is whole until then. What a tag stood for when it was listed is what is written.
 *
 * @param registry `host:port`, for the names of images
 * @param parts bytes that each piece of content takes, by digest, as far as that is known
 * @throws ActionError `No place for a backup`, `The runner’s disk is too small`, and those of RegistryApi that are about no single image
 */
export async function exportLayout(
  root: string,
  registry: string,
  wanted: readonly Wanted[],
  parts: ReadonlyMap<string, number>,
  tools: ExportTools,
): Promise<Exported> {
  await prepareFolder(root);
  await requireRoom(root, parts);
  const writing = new Export(root, tools);
  const slots = new Slots(IMAGES);
  try {
    const found = await waitForAll(wanted.map((image) => slots.run(() => writing.image(image))));
    const written = found.flatMap((each) => ('entry' in each ? [each] : []));
    const needed = new Map(written.flatMap((image) => [...image.parts]));
    await syncFolder(join(root, 'blobs', 'sha256'));
    const entries = written.map((image) => entryOf(image, registry));
    await writeAtOnce(join(root, 'index.json'), formatIndex({ of: registry, entries }));
    await removeRest(root, needed);
    return {
      written,
      bytes: [...needed.values()].reduce((sum, size) => sum + size, 0),
      downloadedBytes: writing.downloadedBytes,
      notes: [...writing.sparse, ...found.flatMap((each) => ('gone' in each ? [each.gone] : []))],
      hints: hiddenFromSkopeo(written),
      broken: found.flatMap((each) => ('broken' in each ? [each.broken] : [])),
    };
  } catch (error) {
    throw ofDisk(root, error);
  }
}

/** Under its name for Skopeo, and that by which containerd and Docker know it. */
function entryOf({ entry, repository, tag, digest }: Written, registry: string): Entry {
  const refName = refNameOf({ repository, tag }, digest);
  return { content: entry, refName, containerdName: `${registry}/${refName}` };
}

/**
 * Skopeo finds an image by its name where that is of the grammar of layouts, and its manifest of a type of OCI:
 * https://github.com/containers/image/blob/main/oci/layout/oci_transport.go
 */
function hiddenFromSkopeo(written: readonly Written[]): string[] {
  const named = written.map((image) => ({ ...image, name: refNameOf(image, image.digest) }));
  const unspecified = named.filter(({ name }) => !isSpecified(name));
  const ofDocker = named.filter(({ entry }) => !entry.mediaType.startsWith('application/vnd.oci.'));
  const note = (images: typeof named, why: string) =>
    images.length === 0
      ? []
      : [`Skopeo does not find ${some(images)} by name, since ${why}; \`restore-from\` and crane do`];
  return [
    ...note(unspecified, 'it is none in the grammar of layouts'),
    ...note(ofDocker, 'the type of the manifest is one of Docker’s own'),
  ];
}

function some(images: readonly { readonly name: string }[]): string {
  const names = images.slice(0, 5).map(({ name }) => name);
  return [...names, ...(images.length > 5 ? [`${images.length - 5} more`] : [])].join(', ');
}
