import type { Retention } from '../../settings/types';
import type { Contents } from './contents';
import { idleRules, type Kept, keptOf, TOUCHED_SECONDS } from './keep';

/** An upload to which nothing came for so many seconds has been given up. */
const ABANDONED_SECONDS = 24 * 3600;

/** What a directory takes, and a small file: a block. */
const BLOCK = 4096;
/** A tag: directories and links of what it is now, and of what it was. */
const TAG_BLOCKS = 7;
/** A link in a directory of its own. */
const LINK_BLOCKS = 2;

/** What a prune deletes, and what it leaves; pure data. */
export interface PrunePlan {
  readonly kept: readonly Kept[];
  /** Paths below `repositories` that go: tags, and manifests. */
  readonly links: readonly string[];
  /** Hex digests of the blobs that nothing needs any more, and nobody has sent or asked for lately. */
  readonly garbage: readonly string[];
  /** Repositories that are empty afterwards. */
  readonly emptied: readonly string[];
  /** Paths of manifests that the registry's own collector could not read, and would stop at. */
  readonly unreadable: readonly string[];
  /** Paths of uploads that were given up, below `repositories`. */
  readonly abandoned: readonly string[];
  /** One that was cut off is brought to its end, or undone. */
  readonly mends: boolean;
  readonly freedBytes: number;
  /** Of what nothing needs any more, and stays for some hours more. */
  readonly laterBytes: number;
  readonly notes: readonly string[];
}

/**
 * Plans a prune. Repositories that were pushed to while this run was about to prune them keep what they have.
 *
 * @param begun when this run began, by the instance's clock; in seconds since 1970
 */
export function planPrune(retention: Retention, contents: Contents, begun: number): PrunePlan {
  const { last } = contents;
  const busy = new Set(last !== null && last.endedAt >= begun ? last.changed : []);
  const kept = keptOf(retention, contents).map((each) => (busy.has(each.name) ? untouched(each) : each));
  const needed = neededBy(kept, contents);
  const isNeeded = (digest: string) => needed.has(digest) || contents.last?.needed.has(digest) === true;
  const unneeded = [...contents.blobs.keys()].filter((digest) => !isNeeded(digest));
  const abandoned = [...contents.uploads].filter(
    ([, { written }]) => written < contents.now - ABANDONED_SECONDS,
  );
  const isTouched = (digest: string) =>
    Math.max(contents.sent.get(digest) ?? 0, contents.asked.get(digest) ?? 0) >
    contents.now - TOUCHED_SECONDS;
  const garbage = unneeded.filter((digest) => !isTouched(digest));
  const bytesOf = (digests: readonly string[]) =>
    digests.reduce((sum, digest) => sum + (contents.blobs.get(digest) ?? 0) + BLOCK * (1 + LINK_BLOCKS), 0);
  const tags = kept.reduce((sum, each) => sum + going(each.tags).length, 0);
  return {
    kept,
    links: kept.flatMap(linksThatGo),
    garbage: garbage.map(hexOf),
    emptied: emptiedOf(kept, contents),
    unreadable: kept.flatMap((each) => unreadableIn(each, contents)),
    abandoned: abandoned.map(([path]) => path),
    mends: contents.isCutOff,
    freedBytes:
      bytesOf(garbage) + tags * TAG_BLOCKS * BLOCK + abandoned.reduce((sum, [, { bytes }]) => sum + bytes, 0),
    laterBytes: bytesOf(unneeded.filter(isTouched)),
    notes: [
      ...idleRules(retention, contents).map((glob) => `no repository fits ${glob}`),
      ...kept.flatMap(({ notes }) => notes),
    ],
  };
}

/** Whether a prune has anything to do. */
export function isNothingToPrune({ links, garbage, emptied, abandoned, mends }: PrunePlan): boolean {
  return !mends && links.length + garbage.length + emptied.length + abandoned.length === 0;
}

/** As scripts/prune.sh takes it: `KIND VALUE`, one a line. Paths with other characters than the registry's own stay out. */
export function pruneLines(plan: PrunePlan): string {
  const lines = (kind: string, values: readonly string[]) =>
    values.filter((value) => /^[A-Za-z0-9._/-]+$/.test(value)).map((value) => `${kind} ${value}\n`);
  return [
    ...lines('link', plan.links),
    ...lines('garbage', plan.garbage),
    ...lines('emptied', plan.emptied),
    ...lines('unreadable', plan.unreadable),
    ...lines(
      'upload',
      plan.abandoned.map((path) => `repositories/${path}`),
    ),
  ].join('');
}

/** How many tags go. */
export function tagsThatGo({ kept }: PrunePlan): number {
  return kept.reduce((sum, { tags }) => sum + [...tags.values()].filter((why) => why === null).length, 0);
}

function untouched(kept: Kept): Kept {
  const all = (names: ReadonlyMap<string, string | null>) =>
    new Map([...names].map(([name, why]) => [name, why ?? 'its repository was pushed to at that moment']));
  return { ...kept, tags: all(kept.tags), manifests: all(kept.manifests) };
}

/** All that the manifests which stay consist of, of all repositories: they share blobs. */
function neededBy(kept: readonly Kept[], { manifests }: Contents): Set<string> {
  const needed = new Set<string>();
  for (const { manifests: decided } of kept) {
    for (const [digest, why] of decided) {
      if (why === null) continue;
      needed.add(digest);
      const manifest = manifests.get(digest);
      for (const each of [...(manifest?.blobs ?? []), ...(manifest?.children ?? [])]) needed.add(each);
    }
  }
  return needed;
}

function linksThatGo({ name, tags, manifests }: Kept): string[] {
  return [
    ...going(tags).map((tag) => `${name}/_manifests/tags/${tag}`),
    ...going(manifests).map((digest) => revision(name, digest)),
  ];
}

function going(decided: ReadonlyMap<string, string | null>): string[] {
  return [...decided].flatMap(([each, why]) => (why === null ? [each] : []));
}

/** A push that has sent no manifest yet looks like an empty repository. */
function emptiedOf(kept: readonly Kept[], { repositories, now }: Contents): string[] {
  const sent = new Map(repositories.map(({ name, sent }) => [name, sent]));
  const isEmptied = ({ name, tags, manifests }: Kept) =>
    [...tags.values(), ...manifests.values()].every((why) => why === null) &&
    (sent.get(name) ?? 0) <= now - TOUCHED_SECONDS;
  return kept.filter(isEmptied).map(({ name }) => name);
}

function unreadableIn({ name, manifests }: Kept, contents: Contents): string[] {
  const broken = contents.repositories.find((each) => each.name === name)?.broken;
  return [...manifests.keys()]
    .filter((digest) => broken?.has(digest) || (contents.manifests.get(digest)?.outdated ?? true))
    .map((digest) => revision(name, digest));
}

function revision(name: string, digest: string): string {
  return `${name}/_manifests/revisions/sha256/${hexOf(digest)}`;
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}
