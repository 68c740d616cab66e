import picomatch from 'picomatch';
import satisfies from 'semver/functions/satisfies';
import type { KeepTag, Retention, RetentionRule } from '../../settings/types';
import type { Contents, Repository } from './contents';

/**
 * What was sent or asked for within so many seconds stays in any case: a push in several parts may be under way, which has
 * asked what the registry has, and does not send that again.
 */
export const TOUCHED_SECONDS = 6 * 3600;

/** What becomes of the tags and manifests of one repository. */
export interface Kept {
  readonly name: string;
  /** Glob of the rule; null: none fits. */
  readonly rule: string | null;
  /** By name: why the tag stays; null: it goes. */
  readonly tags: ReadonlyMap<string, string | null>;
  /** Digests of manifests: why it stays; null: it goes. */
  readonly manifests: ReadonlyMap<string, string | null>;
  readonly notes: readonly string[];
}

/** Tags by which Cosign and others say something of an image; and the fallback of OCI for referrers. */
const ABOUT = /^sha256-([0-9a-f]{64})(?:\.[a-z]+)?$/;

/** Rules that fit no repository: a name may be misspelt. */
export function idleRules({ rules }: Retention, { repositories }: Contents): string[] {
  return rules.flatMap(({ repositories: glob }) => {
    const fits = picomatch(glob);
    return glob === '**' || repositories.some(({ name }) => fits(name)) ? [] : [glob];
  });
}

/** Decides for each repository what stays. */
export function keptOf(retention: Retention, contents: Contents): Kept[] {
  const rules = retention.rules.map((rule) => ({ rule, fits: picomatch(rule.repositories) }));
  return contents.repositories.map((repository) => {
    const rule = rules.find(({ fits }) => fits(repository.name))?.rule ?? null;
    if (rule === null) return keptWhole(repository, null, 'no rule is for it', []);
    const kept = new Keeping(repository, contents, rule, retention.inUse).decide();
    if (!losesAll(kept) || rule.newest === 0) return kept;
    const note = `${repository.name}: all of its tags would go, so it is left as it is; \`keep-newest=0\` says that they may`;
    return keptWhole(repository, rule.repositories, 'it would be the last one', [note]);
  });
}

function keptWhole(repository: Repository, rule: string | null, why: string, notes: readonly string[]): Kept {
  const all = <T>(names: ReadonlyMap<string, T>) => new Map([...names.keys()].map((name) => [name, why]));
  return {
    name: repository.name,
    rule,
    tags: all(repository.tags),
    manifests: all(repository.revisions),
    notes,
  };
}

function losesAll({ tags }: Kept): boolean {
  return tags.size > 0 && [...tags.values()].every((why) => why === null);
}

/** The tags and manifests of a repository that stay; each reason is found once. */
class Keeping {
  private readonly repository: Repository;
  private readonly contents: Contents;
  private readonly rule: RetentionRule;
  private readonly inUse: ReadonlySet<string>;
  private readonly tags = new Map<string, string>();
  private readonly manifests = new Map<string, string>();
  private readonly tagsOf = new Map<string, string[]>();
  /** What says something of a manifest, by its digest. */
  private readonly referrers = new Map<string, string[]>();
  private readonly notes: string[] = [];

  constructor(repository: Repository, contents: Contents, rule: RetentionRule, inUse: readonly string[]) {
    this.repository = repository;
    this.contents = contents;
    this.rule = rule;
    this.inUse = new Set(inUse);
    for (const [tag, { digest }] of repository.tags) if (digest !== null) push(this.tagsOf, digest, tag);
    for (const digest of repository.revisions.keys()) {
      const subject = contents.manifests.get(digest)?.subject ?? null;
      if (subject !== null) push(this.referrers, subject, digest);
    }
  }

  decide(): Kept {
    this.keepUnreadable();
    this.keepTags();
    this.keepManifests();
    const { name, tags, revisions } = this.repository;
    const reasons = (names: Iterable<string>, kept: ReadonlyMap<string, string>) =>
      new Map([...names].map((each) => [each, kept.get(each) ?? null]));
    return {
      name,
      rule: this.rule.repositories,
      tags: reasons(tags.keys(), this.tags),
      manifests: reasons(revisions.keys(), this.manifests),
      notes: this.notes,
    };
  }

  /** What cannot be understood is left to people. */
  private keepUnreadable(): void {
    const { name, tags, revisions, broken } = this.repository;
    const isReadable = (digest: string) =>
      revisions.has(digest) && !broken.has(digest) && this.contents.manifests.has(digest);
    for (const [tag, { digest }] of tags) {
      if (digest !== null && isReadable(digest)) continue;
      this.tags.set(tag, 'it cannot be read');
      this.notes.push(
        `${name}:${tag} cannot be read (its manifest is missing or broken) and is left as it is`,
      );
    }
    for (const digest of revisions.keys()) {
      if (!isReadable(digest)) this.manifests.set(digest, 'it cannot be read');
    }
  }

  private keepTags(): void {
    const { newest, within, tags: patterns } = this.rule;
    const fits = patterns.map(matcher);
    const ordinary = [...this.repository.tags].filter(([tag]) => !this.isAbout(tag));
    const byTime = ordinary
      .filter(([tag]) => tag !== 'latest')
      .sort(([a, one], [b, other]) => other.pushed - one.pushed || (a < b ? 1 : -1));
    for (const [tag] of byTime.slice(0, newest ?? 0)) this.keepTag(tag, `one of the newest ${newest}`);
    for (const [tag, { pushed }] of ordinary) {
      const pattern = fits.findIndex((matches) => matches(tag));
      if (tag === 'latest') this.keepTag(tag, 'it is latest');
      if (within !== null && this.isWithin(pushed, within)) this.keepTag(tag, 'pushed within keep-within');
      if (this.isWithin(pushed, TOUCHED_SECONDS)) this.keepTag(tag, 'pushed within the last hours');
      if (pattern >= 0) this.keepTag(tag, `it fits ${wordOf(patterns[pattern])}`);
    }
  }

  private keepManifests(): void {
    for (const [digest, pushed] of this.repository.revisions) {
      const isUntagged = !this.tagsOf.has(digest);
      const touched = Math.max(isUntagged ? pushed : 0, this.contents.asked.get(digest) ?? 0);
      if (this.inUse.has(digest)) this.keepManifest(digest, 'it is in use');
      if (this.isWithin(touched, TOUCHED_SECONDS))
        this.keepManifest(digest, 'asked for within the last hours');
      if (isUntagged && !this.isReferrer(digest) && this.isWithin(pushed, this.rule.within ?? 0))
        this.keepManifest(digest, 'pushed within keep-within');
    }
  }

  private keepTag(tag: string, why: string): void {
    if (this.tags.has(tag)) return;
    this.tags.set(tag, why);
    const digest = this.repository.tags.get(tag)?.digest ?? null;
    if (digest !== null) this.keepManifest(digest, `it is ${tag}`);
  }

  /** With it stay its parts, its other names, and what says something of it. */
  private keepManifest(digest: string, why: string): void {
    if (this.manifests.has(digest) || !this.repository.revisions.has(digest)) return;
    this.manifests.set(digest, why);
    for (const child of this.contents.manifests.get(digest)?.children ?? [])
      this.keepManifest(child, 'part of an index that stays');
    for (const tag of this.tagsOf.get(digest) ?? []) this.keepTag(tag, `the same image stays: ${why}`);
    for (const referrer of this.referrers.get(digest) ?? [])
      this.keepManifest(referrer, 'it says something of an image that stays');
    const hex = digest.slice('sha256:'.length);
    for (const tag of this.repository.tags.keys()) {
      if (ABOUT.exec(tag)?.[1] === hex) this.keepTag(tag, 'it says something of an image that stays');
    }
  }

  /** It comes and goes with another image of this repository; one that is nowhere here is a tag like others. */
  private isAbout(tag: string): boolean {
    const [, hex] = ABOUT.exec(tag) ?? [];
    return hex !== undefined && this.repository.revisions.has(`sha256:${hex}`);
  }

  private isReferrer(digest: string): boolean {
    const subject = this.contents.manifests.get(digest)?.subject ?? null;
    return subject !== null && this.repository.revisions.has(subject);
  }

  /** A time to come counts as now. */
  private isWithin(time: number, seconds: number): boolean {
    return time > this.contents.now - seconds;
  }
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function matcher(pattern: KeepTag): (tag: string) => boolean {
  if (pattern.kind === 'glob') return picomatch(pattern.glob, { dot: true });
  return (tag) => {
    const version = versionOf(tag);
    return version !== null && satisfies(version, pattern.range, { includePrerelease: true });
  };
}

/** A version with all of its three numbers; those that a tag leaves out are 0. */
function versionOf(tag: string): string | null {
  const [, major, minor = '.0', patch = '.0', rest = ''] =
    /^v?(\d+)(\.\d+)?(\.\d+)?(-[0-9A-Za-z.-]+)?$/.exec(tag) ?? [];
  return major === undefined ? null : `${major}${minor}${patch}${rest}`;
}

function wordOf(pattern: KeepTag | undefined): string {
  if (pattern === undefined) return '';
  return pattern.kind === 'glob' ? pattern.glob : pattern.range;
}
