import { createHash } from 'node:crypto';
import { insecureRegistries, mergeEntries, removeEntries } from './daemon-json';

/*
 * Several runs can share one runner machine, and with it one daemon.json. Each claims the entry that it needs, in a
 * record of the file's use that lies in /run: the file is at all times what its owner wrote (the base) plus the
 * entries that are claimed, and whoever leaves last puts the owner's bytes back. A claim of a run that died is dropped
 * by whoever comes next.
 */

/** One run's need for one registry. */
export interface Claim {
  /** The run. */
  readonly id: string;
  /** `host:port` */
  readonly entry: string;
  /** The process that lives as long as the job; null when it is not known. */
  readonly process: { readonly pid: number; readonly started: string } | null;
  /** Milliseconds since 1970; the claim ends then in any case. */
  readonly expires: number;
}

/** Who uses daemon.json now, and what it was before. */
export interface UseRecord {
  /** The owner's daemon.json in base64; null when there was none. */
  readonly base: string | null;
  /** What this action wrote last, by {@link fingerprint}: anything else was changed by somebody else. */
  readonly written: string;
  /** The directory of daemon.json was made by this action. */
  readonly madeDirectory: boolean;
  /** What stands beside the claimed entries where the owner has no list; see {@link implicitEntries}. */
  readonly implicit?: readonly string[];
  readonly claims: readonly Claim[];
}

/** daemon.json, and what this action knows about its use. */
export interface Files {
  /** Null: absent. */
  readonly file: Buffer | null;
  readonly record: UseRecord | null;
}

/** Whether a claim still counts. */
export type Liveness = (claim: Claim) => boolean;

/** What a run knows of the daemon when it adds its entry. */
export interface Circumstances {
  readonly isAlive: Liveness;
  /** Its directory has to be made. */
  readonly makesDirectory: boolean;
  /** See {@link implicitEntries}. */
  readonly implicit: readonly string[];
}

/**
 * What a daemon accepts as long as its file has no list, and gives up with the first one: since 29.10 the loopback
 * networks are such. They are listed with the entry then, so that a job keeps its registry on localhost.
 *
 * https://github.com/moby/moby/releases/tag/docker-v29.10.0
 */
export function implicitEntries(serverVersion: string): readonly string[] {
  const [major = 0, minor = 0] = serverVersion.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major > 29 || (major === 29 && minor >= 10) ? ['::1/128', '127.0.0.0/8'] : [];
}

/**
 * Adds a claim. The file gets the entry where it has none; a run whose entry the owner lists needs no claim.
 *
 * @throws BrokenDaemonJson
 */
export function claim(files: Files, mine: Claim, how: Circumstances): Files {
  const base = baseOf(files);
  const others = liveClaims(files, how.isAlive).filter(({ id }) => id !== mine.id);
  const isOwners = insecureRegistries(base)?.includes(mine.entry) ?? false;
  return render(base, isOwners ? others : [...others, mine], {
    madeDirectory: files.record?.madeDirectory ?? how.makesDirectory,
    implicit: files.record?.implicit ?? how.implicit,
  });
}

/** Adds an entry for good: it becomes part of what the owner wrote. */
export function addForGood(files: Files, entry: string, how: Circumstances): Files {
  const found = baseOf(files);
  const base = mergeEntries(found, insecureRegistries(found) === null ? [...how.implicit, entry] : [entry]);
  return render(base, liveClaims(files, how.isAlive), { madeDirectory: false, implicit: how.implicit });
}

/** Takes back the claim of a run; nothing happens to entries that others claim, or that the owner lists. */
export function release(files: Files, id: string, isAlive: Liveness): Files {
  const left = liveClaims(files, isAlive).filter((other) => other.id !== id);
  const { madeDirectory = false, implicit = [] } = files.record ?? {};
  return render(baseOf(files), left, { madeDirectory, implicit });
}

/** SHA-256 of a file's content; `absent` where there is none. */
export function fingerprint(file: Buffer | null): string {
  return file === null ? 'absent' : createHash('sha256').update(file).digest('hex');
}

/** Reads a record; null for anything that is none, which leaves daemon.json alone. */
export function parseRecord(text: string): UseRecord | null {
  try {
    const record = JSON.parse(text) as UseRecord;
    const isBase = record.base === null || typeof record.base === 'string';
    const ok = isBase && typeof record.written === 'string' && Array.isArray(record.claims);
    return ok && record.claims.every(isClaim) ? record : null;
  } catch {
    return null;
  }
}

function isClaim(value: unknown): value is Claim {
  const { id, entry, expires } = (value ?? {}) as Partial<Claim>;
  return typeof id === 'string' && typeof entry === 'string' && typeof expires === 'number';
}

function liveClaims(files: Files, isAlive: Liveness): readonly Claim[] {
  return (files.record?.claims ?? []).filter(isAlive);
}

/** What the owner wrote. Where somebody changed the file since, that is the file without the claimed entries. */
function baseOf({ file, record }: Files): Buffer | null {
  if (record === null) return file;
  const known = record.base === null ? null : Buffer.from(record.base, 'base64');
  if (fingerprint(file) === record.written) return known;
  const before = insecureRegistries(known);
  const added = before === null ? (record.implicit ?? []) : [];
  const ours = [...added, ...record.claims.map(({ entry }) => entry)];
  return removeEntries(
    file,
    ours.filter((entry) => !before?.includes(entry)),
    before === null,
  );
}

function render(
  base: Buffer | null,
  claims: readonly Claim[],
  { madeDirectory, implicit }: Pick<UseRecord, 'madeDirectory'> & { readonly implicit: readonly string[] },
): Files {
  if (claims.length === 0) return { file: base, record: null };
  const entries = claims.map(({ entry }) => entry);
  const file = mergeEntries(base, insecureRegistries(base) === null ? [...implicit, ...entries] : entries);
  const record = {
    base: base?.toString('base64') ?? null,
    written: fingerprint(file),
    madeDirectory,
    implicit,
    claims,
  };
  return { file, record };
}
