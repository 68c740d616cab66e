import picomatch from 'picomatch';
import type { Contents, Repository } from './contents';

/** An image of a registry: under a tag, or, without one, by its digest alone. */
export interface ListedImage {
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string;
}

/** What a backup is to have. */
export interface BackupList {
  readonly images: readonly ListedImage[];
  /** All that they need, by digest: bytes that each takes, as far as it is there. */
  readonly parts: ReadonlyMap<string, number>;
  /** What is left out for good reasons, and globs that fit nothing. */
  readonly notes: readonly string[];
  /** Images that the registry has on record and cannot serve, with the reason. */
  readonly broken: readonly string[];
}

/**
 * All images that the registry serves from these repositories: each tag, and what only its digest names, as images that
 * are deployed by digest, signatures and attestations are. What an index has as its parts is listed with it.
 *
 * @param globs of repositories; empty: all
 * @param without a repository that is left out
 */
export function listForBackup(contents: Contents, globs: readonly string[], without: string): BackupList {
  const fits = globs.map((glob) => ({ glob, matches: picomatch(glob) }));
  const named = contents.repositories.filter(({ name }) => name !== without);
  const chosen = named
    .filter(({ name }) => fits.length === 0 || fits.some(({ matches }) => matches(name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const idle = fits.filter(({ matches }) => !named.some(({ name }) => matches(name)));
  const lists = chosen.map((repository) => listOf(repository, contents));
  const images = lists.flatMap((list) => list.images);
  return {
    images,
    parts: partsOf(images, contents),
    notes: [
      ...idle.map(({ glob }) => `\`backup-repositories\` has ${glob}, which fits no repository`),
      ...lists.flatMap(({ notes }) => notes),
    ],
    broken: lists.flatMap(({ broken }) => broken),
  };
}

type RepositoryList = Pick<BackupList, 'images' | 'notes' | 'broken'>;

function listOf({ name, tags, revisions, broken }: Repository, { manifests }: Contents): RepositoryList {
  const images: ListedImage[] = [];
  const notes: string[] = [];
  const unserved: string[] = [];
  const take = (tag: string | null, digest: string) => {
    const title = tag === null ? `${name}@${digest}` : `${name}:${tag}`;
    const manifest = manifests.get(digest);
    if (broken.has(digest) || !revisions.has(digest)) unserved.push(`${title} (its link cannot be read)`);
    else if (manifest === undefined) unserved.push(`${title} (its manifest cannot be read)`);
    else if (manifest.outdated) notes.push(`${title} is of schema 1, which is no OCI image, and is left out`);
    else images.push({ repository: name, tag, digest });
  };
  for (const [tag, { digest }] of [...tags].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (digest === null) unserved.push(`${name}:${tag} (its link cannot be read)`);
    else take(tag, digest);
  }
  const held = new Set([
    ...[...tags.values()].map(({ digest }) => digest),
    ...[...revisions.keys()].flatMap((digest) => manifests.get(digest)?.children ?? []),
  ]);
  for (const digest of [...revisions.keys()].sort()) if (!held.has(digest)) take(null, digest);
  return { images, notes, broken: unserved };
}

function partsOf(images: readonly ListedImage[], { manifests, blobs }: Contents): Map<string, number> {
  const parts = new Map<string, number>();
  const left = images.map(({ digest }) => digest);
  for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
    if (parts.has(digest)) continue;
    parts.set(digest, blobs.get(digest) ?? 0);
    const manifest = manifests.get(digest);
    left.push(...(manifest?.children ?? []), ...(manifest?.blobs ?? []));
  }
  return parts;
}
