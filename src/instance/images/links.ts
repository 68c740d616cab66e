import { isDigest } from '../../values/digest';
import type { Repository, StoredTag } from './contents';

/** What the links of the registry's repositories say. */
export interface Links {
  readonly repositories: readonly Repository[];
  /** When a blob was last linked, by any repository. */
  readonly sent: Map<string, number>;
}

interface Parts {
  readonly tags: Map<string, StoredTag>;
  readonly revisions: Map<string, number>;
  readonly broken: Set<string>;
  sent: number;
}

/**
 * Reads the paths of links, as the registry lays them out:
 * https://github.com/distribution/distribution/blob/v3.1.2/registry/storage/paths.go
 *
 * @param links `TIME PATH`, below `repositories`
 * @param contents `PATH:CONTENT` of the links of tags and manifests; of an empty file there is no line
 */
export function linksOf(links: readonly string[], contents: readonly string[]): Links {
  const digests = new Map(contents.map(contentOf));
  const repositories = new Map<string, Parts>();
  const partsOf = (name: string): Parts => {
    const parts = repositories.get(name) ?? {
      tags: new Map(),
      revisions: new Map(),
      broken: new Set(),
      sent: 0,
    };
    repositories.set(name, parts);
    return parts;
  };
  const sent = new Map<string, number>();
  for (const line of links) {
    const [, time = '', path = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    const seconds = Number(time);
    const [, name = '', kind = '', rest = ''] =
      /^(.+?)\/(_manifests\/tags|_manifests\/revisions\/sha256|_layers\/sha256)\/(.+)\/link$/.exec(path) ??
      [];
    if (kind === '_layers/sha256') {
      const parts = partsOf(name);
      parts.sent = Math.max(seconds, parts.sent);
      const digest = `sha256:${rest}`;
      sent.set(digest, Math.max(seconds, sent.get(digest) ?? 0));
    }
    if (kind === '_manifests/revisions/sha256') {
      const digest = `sha256:${rest}`;
      partsOf(name).revisions.set(digest, seconds);
      if (digests.get(path) !== digest) partsOf(name).broken.add(digest);
    }
    const [, tag] = /^([^/]+)\/current$/.exec(rest) ?? [];
    if (kind === '_manifests/tags' && tag !== undefined)
      partsOf(name).tags.set(tag, { digest: digests.get(path) ?? null, pushed: seconds });
  }
  return {
    repositories: [...repositories].map(([name, parts]) => ({ name, ...parts })),
    sent,
  };
}

function contentOf(line: string): [path: string, digest: string | null] {
  const at = line.indexOf('/link:') + 5;
  const digest = line.slice(at + 1);
  return [line.slice(0, at), isDigest(digest) ? digest : null];
}
