import { createHash } from 'node:crypto';
import { insecureRegistries, mergeEntries, removeEntries } from './daemon-json';

/*
 * Several runs can share one runner machine, and with it one daemon.json. Each claims the entry that it needs, in a
 * ledger beside it: the file is at all times what its owner wrote (the base) plus the entries that are claimed, and
 * whoever leaves last puts the owner's bytes back. A claim of a run that died is dropped by whoever comes next.
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

export interface Ledger {
  /** The owner's daemon.json in base64; null when there was none. */
  readonly base: string | null;
  /** What this action wrote last, by {@link fingerprint}: anything else was changed by somebody else. */
  readonly written: string;
  /** The directory of daemon.json was made by this action. */
  readonly madeDirectory: boolean;
  readonly claims: readonly Claim[];
}

/** daemon.json, and what this action knows about it. */
export interface Files {
  /** Null: absent. */
  readonly file: Buffer | null;
  readonly ledger: Ledger | null;
}

/** Whether a claim still counts. */
export type Liveness = (claim: Claim) => boolean;

/**
 * Adds a claim. The file gets the entry where it has none; a run whose entry the owner lists needs no claim.
 *
 * @throws BrokenDaemonJson
 */
export function claim(files: Files, mine: Claim, isAlive: Liveness, madeDirectory: boolean): Files {
  const base = baseOf(files);
  const others = liveClaims(files, isAlive).filter(({ id }) => id !== mine.id);
  const isOwners = insecureRegistries(base)?.includes(mine.entry) ?? false;
  return render(base, isOwners ? others : [...others, mine], files.ledger?.madeDirectory ?? madeDirectory);
}

/** Adds an entry for good: it becomes part of what the owner wrote. */
export function addForGood(files: Files, entry: string, isAlive: Liveness): Files {
  const base = mergeEntries(baseOf(files), [entry]);
  return render(base, liveClaims(files, isAlive), false);
}

/** Takes back the claim of a run; nothing happens to entries that others claim, or that the owner lists. */
export function release(files: Files, id: string, isAlive: Liveness): Files {
  const left = liveClaims(files, isAlive).filter((other) => other.id !== id);
  return render(baseOf(files), left, files.ledger?.madeDirectory ?? false);
}

/** SHA-256 of a file's content; `absent` where there is none. */
export function fingerprint(file: Buffer | null): string {
  return file === null ? 'absent' : createHash('sha256').update(file).digest('hex');
}

/** Reads a ledger; null for anything that is none, which leaves daemon.json alone. */
export function parseLedger(text: string): Ledger | null {
  try {
    const ledger = JSON.parse(text) as Ledger;
    const isBase = ledger.base === null || typeof ledger.base === 'string';
    const ok = isBase && typeof ledger.written === 'string' && Array.isArray(ledger.claims);
    return ok && ledger.claims.every(isClaim) ? ledger : null;
  } catch {
    return null;
  }
}

function isClaim(value: unknown): value is Claim {
  const { id, entry, expires } = (value ?? {}) as Partial<Claim>;
  return typeof id === 'string' && typeof entry === 'string' && typeof expires === 'number';
}

function liveClaims(files: Files, isAlive: Liveness): readonly Claim[] {
  return (files.ledger?.claims ?? []).filter(isAlive);
}

/** What the owner wrote. Where somebody changed the file since, that is the file without the claimed entries. */
function baseOf({ file, ledger }: Files): Buffer | null {
  if (ledger === null) return file;
  const known = ledger.base === null ? null : Buffer.from(ledger.base, 'base64');
  if (fingerprint(file) === ledger.written) return known;
  const before = insecureRegistries(known);
  const ours = ledger.claims.map(({ entry }) => entry).filter((entry) => !before?.includes(entry));
  return removeEntries(file, ours, before === null);
}

function render(base: Buffer | null, claims: readonly Claim[], madeDirectory: boolean): Files {
  if (claims.length === 0) return { file: base, ledger: null };
  const entries = claims.map(({ entry }) => entry);
  const file = mergeEntries(base, entries);
  const ledger = {
    base: base?.toString('base64') ?? null,
    written: fingerprint(file),
    madeDirectory,
    claims,
  };
  return { file, ledger };
}
