import { InvalidReference, parseReference, type Reference, targetOf } from '../values/reference';

/** Where an image is in a registry: under a tag, or, without one, by its digest alone. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string | null;
}

/** What an image is called in a layout: the annotations of its entry in index.json. */
export interface EntryName {
  /** `org.opencontainers.image.ref.name` */
  readonly refName: string | null;
  /** `io.containerd.image.name` */
  readonly containerdName: string | null;
}

/** The names of an image in a layout of this action, by which Skopeo finds it. */
export function refNameOf({ repository, tag }: ImageName, digest: string): string {
  return tag === null ? `${repository}@${digest}` : `${repository}:${tag}`;
}

/**
 * What Skopeo takes for a name; others it does not find, though they are names of images.
 *
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
 */
export function isSpecified(refName: string): boolean {
  const component = '[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*';
  return new RegExp(`^${component}(?:/${component})*$`).test(refName);
}

/** Reads a name as `refNameOf` writes it; null: it is none. A repository whose first part looks like a host is one here. */
export function ownName(refName: string, digest: string): ImageName | null {
  const at = refName.indexOf('@');
  if (at >= 0) {
    const repository = refName.slice(0, at);
    return refName.slice(at + 1) === digest && isName(repository, 'latest')
      ? { repository, tag: null }
      : null;
  }
  const colon = refName.lastIndexOf(':');
  const [repository, tag] = [refName.slice(0, Math.max(colon, 0)), refName.slice(colon + 1)];
  return isName(repository, tag) ? { repository, tag } : null;
}

/**
 * Reads what other tools call an image: Docker and BuildKit write a whole reference into both annotations, or the tag alone
 * into the first one; Skopeo what its user said; crane nothing.
 *
 * @param fallback where an image goes whose name says no repository
 * @returns null: nothing says where it goes
 */
export function foreignName(
  { refName, containerdName }: EntryName,
  digest: string,
  fallback: ImageName | null,
): ImageName | null {
  for (const name of [containerdName, refName]) {
    const reference = name !== null && /[/:@]/.test(name) ? referenceOf(name) : null;
    if (reference === null) continue;
    if (reference.digest !== undefined && reference.digest !== digest) return null;
    const { path, tag } = targetOf(reference);
    const isByDigest = reference.tag === undefined && reference.digest !== undefined;
    return isName(path, tag) ? { repository: path, tag: isByDigest ? null : tag } : null;
  }
  if (fallback === null) return null;
  const tag = refName ?? fallback.tag;
  if (tag !== null && !isName(fallback.repository, tag)) return null;
  return { repository: fallback.repository, tag };
}

function referenceOf(text: string): Reference | null {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof InvalidReference) return null;
    throw error;
  }
}

/** Whether they are a repository and a tag, and so safe in the path of a request. */
function isName(repository: string, tag: string): boolean {
  // The host in front keeps a first part such as `a.b` from being taken for one.
  const reference = referenceOf(`registry.invalid/${repository}:${tag}`);
  return reference?.path === repository && reference.tag === tag;
}
