import { Slots } from '../job/slots';
import { waitForAll } from '../job/wait-for-all';
import { FAILED, MISSING, NOT_VALID, REFUSED } from '../registry/http';
import { ActionError } from '../values/errors';
import { show } from '../values/show';
import { isDamage } from './damage';
import { Import, type ImportTools, type Restorable, type Restored } from './import-image';
import type { LayoutIndex } from './index-file';
import { foreignName, type ImageName, ownName, refNameOf } from './names';

/** What came of an import. */
export interface Imported {
  readonly images: readonly (Restorable & { readonly became: Restored })[];
  readonly sentBytes: number;
  /** Images that are not there, with what is wrong with them. */
  readonly broken: readonly string[];
}

/** Images that are worked on at the same time. */
const IMAGES = 8;

/**
 * Says where each image of a layout goes.
 *
 * @param fallback where one goes whose name says no repository
 * @throws ActionError `Layout does not say where to`, before anything is sent
 */
export function placesOf(
  root: string,
  { of, entries }: LayoutIndex,
  fallback: ImageName | null,
): Restorable[] {
  const places = new Map<string, Restorable>();
  for (const entry of entries) {
    const { content, refName } = entry;
    const own = of !== null && refName !== null ? ownName(refName, content.digest) : null;
    const name = own ?? foreignName(entry, content.digest, fallback);
    if (name === null) throw noPlace(root, refName, content.digest);
    const key = refNameOf(name, content.digest);
    const other = places.get(key);
    if (other !== undefined && other.content.digest !== content.digest) throw twice(root, key);
    places.set(key, { ...name, content });
  }
  return [...places.values()];
}

/**
 * Puts images of a layout into a registry. What it has already is not sent again; one that cannot be put there keeps no
 * other from it.
 *
 * @param overwrite tags that stand for another image are moved
 * @throws those of RegistryApi that are about no single image
 */
export async function importLayout(
  root: string,
  images: readonly Restorable[],
  overwrite: boolean,
  tools: ImportTools & { readonly onImage: (image: string) => void },
): Promise<Imported> {
  const sending = new Import(root, overwrite, tools);
  const slots = new Slots(IMAGES);
  const broken: string[] = [];
  const became = await waitForAll(
    images.map((image) =>
      slots.run(async () => {
        const name = refNameOf(image, image.content.digest);
        try {
          const what = await sending.image(image);
          tools.onImage(`${name} ${image.content.digest}: ${what}`);
          return [{ ...image, became: what }];
        } catch (error) {
          if (!isOfOneImage(error)) {
            sending.giveUp(error);
            throw error;
          }
          broken.push(`${name} (${error.problem.doing}: ${error.problem.happened})`);
          tools.onImage(`${name}: ${error.problem.happened}`);
          return [];
        }
      }),
    ),
  );
  return { images: became.flat(), sentBytes: sending.sentBytes, broken };
}

function isOfOneImage(error: unknown): error is ActionError {
  if (isDamage(error)) return true;
  // A registry answers with 500 where it does not take the address of a foreign layer.
  const codes = [REFUSED, FAILED, MISSING, NOT_VALID];
  return error instanceof ActionError && error.code !== undefined && codes.includes(error.code);
}

function noPlace(root: string, refName: string | null, digest: string): ActionError {
  const called = refName === null ? 'has no name' : `is called ${show(refName, 300)}`;
  return new ActionError('Layout does not say where to', {
    doing: `reading the OCI image layout in ${show(root, 300)}`,
    happened: `its image ${digest} ${called}, which says no repository`,
    next: 'Set `restore-repository` to a repository, with a tag behind it for an image without a name',
  });
}

function twice(root: string, name: string): ActionError {
  return new ActionError('Layout does not say where to', {
    doing: `reading the OCI image layout in ${show(root, 300)}`,
    happened: `two different images of it go to ${name}`,
    next: 'Restore them one by one, each from a layout of its own; `skopeo copy oci:FROM:NAME oci:TO:NAME` takes one out',
  });
}
