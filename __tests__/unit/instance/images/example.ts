import type { Contents } from '../../../../src/instance/images/contents';
import { linksOf } from '../../../../src/instance/images/links';
import type { StoredManifest } from '../../../../src/instance/images/stored-manifest';

/** When the examples are read; in seconds. */
export const NOW = 2_000_000_000;
const DAY = 86_400;

/** A digest that is easy to tell from others. */
export const digestOf = (name: string): string =>
  `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64)}`;

export interface ExampleManifest {
  readonly children?: readonly string[];
  readonly blobs?: readonly string[];
  readonly subject?: string;
  readonly outdated?: boolean;
  /** Days ago; by default long ago. */
  readonly pushed?: number;
}

/**
 * What a registry has.
 *
 * @param repositories by name: tags as `NAME`: [manifest, days ago], and its manifests by their names
 */
export function contentsWith(
  repositories: Readonly<
    Record<
      string,
      {
        readonly tags?: Readonly<Record<string, readonly [manifest: string, daysAgo: number]>>;
        readonly manifests?: Readonly<Record<string, ExampleManifest>>;
      }
    >
  >,
  more: Partial<Contents> = {},
): Contents {
  const time = (daysAgo: number) => (NOW - daysAgo * DAY).toFixed(3);
  const links: string[] = [];
  const contents: string[] = [];
  const manifests = new Map<string, StoredManifest>();
  const blobs = new Map<string, number>();
  const link = (path: string, name: string, daysAgo: number) => {
    links.push(`${time(daysAgo)} ${path}/link`);
    contents.push(`${path}/link:${digestOf(name)}`);
  };
  for (const [repository, { tags = {}, manifests: own = {} }] of Object.entries(repositories)) {
    for (const [tag, [name, daysAgo]] of Object.entries(tags))
      link(`${repository}/_manifests/tags/${tag}/current`, name, daysAgo);
    for (const [name, manifest] of Object.entries(own)) {
      const digest = digestOf(name);
      link(`${repository}/_manifests/revisions/sha256/${digest.slice(7)}`, name, manifest.pushed ?? 900);
      blobs.set(digest, 1000);
      for (const blob of manifest.blobs ?? []) {
        link(`${repository}/_layers/sha256/${digestOf(blob).slice(7)}`, blob, 900);
        blobs.set(digestOf(blob), 1_000_000);
      }
      manifests.set(digest, {
        children: (manifest.children ?? []).map(digestOf),
        blobs: (manifest.blobs ?? []).map(digestOf),
        subject: manifest.subject === undefined ? null : digestOf(manifest.subject),
        outdated: manifest.outdated ?? false,
      });
    }
  }
  return {
    now: NOW,
    disk: { size: 10e9, used: 5e9, images: 1e9 },
    ...linksOf(links, contents),
    manifests,
    blobs,
    asked: new Map(),
    last: null,
    isCutOff: false,
    uploads: new Map(),
    ...more,
  };
}
