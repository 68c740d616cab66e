import type { Contents } from './contents';

/** A manifest that does not lead to all that it should. */
export interface IncompleteImage {
  /** `REPOSITORY@DIGEST` */
  readonly image: string;
  /** What is not there. */
  readonly digests: readonly string[];
}

/** The manifests of which something is not on the disk: itself, a part of an index, a configuration, a layer. */
export function missingParts({ repositories, manifests, blobs }: Contents): readonly IncompleteImage[] {
  return repositories.flatMap(({ name, revisions, tags }) => {
    const tagged = [...tags.values()].flatMap(({ digest }) => digest ?? []);
    const all = [...new Set([...revisions.keys(), ...tagged])];
    return all.flatMap((digest) => {
      const manifest = manifests.get(digest);
      const parts = manifest === undefined ? [] : [...manifest.children, ...manifest.blobs];
      const missing = [digest, ...parts].filter((part) => !blobs.has(part));
      return missing.length === 0 ? [] : [{ image: `${name}@${digest}`, digests: [...new Set(missing)] }];
    });
  });
}
