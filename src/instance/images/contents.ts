import { gunzipSync } from 'node:zlib';
import { isDigest } from '../../values/digest';
import { ActionError } from '../../values/errors';
import { linksOf } from './links';
import { type StoredManifest, storedManifest } from './stored-manifest';

/** What the registry keeps on its disk, read without asking the registry. */
export interface Contents {
  /** When the reading began, by the instance's clock; in seconds since 1970, as all times here. */
  readonly now: number;
  readonly disk: Disk;
  readonly repositories: readonly Repository[];
  /** What each manifest that can be read refers to. */
  readonly manifests: ReadonlyMap<string, StoredManifest>;
  /** Bytes that each blob takes on the disk. */
  readonly blobs: ReadonlyMap<string, number>;
  /** When a blob was last sent, by any repository. */
  readonly sent: ReadonlyMap<string, number>;
  /** When somebody last asked whether the registry has a blob or a manifest, as a push does. */
  readonly asked: ReadonlyMap<string, number>;
  /** What the prune that ended last on this instance, if any since its boot, wrote of itself. */
  readonly last: LastPrune | null;
  /** A prune was cut off, and what it took out is still there. */
  readonly isCutOff: boolean;
  /** Uploads that are under way, or were: bytes and time of what was written last, by path below `repositories`. */
  readonly uploads: ReadonlyMap<string, { readonly bytes: number; readonly written: number }>;
}

/** In bytes. */
export interface Disk {
  readonly size: number;
  readonly used: number;
  /** All that the registry has, with its directories and links. */
  readonly images: number;
}

export interface Repository {
  readonly name: string;
  /** By name. A tag whose link cannot be read has no digest. */
  readonly tags: ReadonlyMap<string, StoredTag>;
  /** Of its manifests, by digest: when each was pushed. */
  readonly revisions: ReadonlyMap<string, number>;
  /** Those of them whose link the registry cannot read. */
  readonly broken: ReadonlySet<string>;
  /** When a blob was last sent to it. */
  readonly sent: number;
}

export interface StoredTag {
  readonly digest: string | null;
  /** Of the tag's link: when it was pushed, not when the image claims to have been made. */
  readonly pushed: number;
}

export interface LastPrune {
  readonly outcome: 'done' | 'changed' | 'rolled-back';
  /** For how long pushes were held. */
  readonly heldMs: number;
  readonly endedAt: number;
  /** Repositories that were pushed to when they were to be pruned, by it and those right before. */
  readonly changed: readonly string[];
  /** Blobs that the registry's own collector would keep. */
  readonly needed: ReadonlySet<string>;
}

/**
 * Reads what scripts/images.sh prints: lines in sections, and behind them the manifests.
 *
 * @throws ActionError `Unexpected listing`
 */
export function parseContents(base64: string): Contents {
  const bytes = unpacked(base64);
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw unexpected('it ends within a line');
    const line = bytes.toString('utf8', at, end);
    at = end + 1;
    if (line === '== bytes') return contentsOf(sections, bytes.subarray(at));
    if (line.startsWith('== ')) {
      lines = [];
      sections.set(line.slice(3), lines);
    } else lines.push(line);
  }
  throw unexpected('it has no end');
}

function unpacked(base64: string): Buffer {
  try {
    return gunzipSync(Buffer.from(base64, 'base64'));
  } catch (cause) {
    throw unexpected('it did not come whole', cause);
  }
}

function contentsOf(sections: ReadonlyMap<string, readonly string[]>, bytes: Buffer): Contents {
  const lines = (name: string) => sections.get(name) ?? [];
  const [now = Number.NaN, size = Number.NaN, used = Number.NaN, images = 0] = (lines('now')[0] ?? '')
    .split(' ')
    .map(Number);
  if (![now, size, used].every(Number.isFinite)) throw unexpected('it has no time');
  const { repositories, sent } = linksOf(lines('links'), lines('contents'));
  // What is sent again is linked again, and stays as it was first.
  for (const line of lines('blobs')) {
    const [hex = '', , written = ''] = line.split(' ');
    sent.set(`sha256:${hex}`, Math.max(Number(written), sent.get(`sha256:${hex}`) ?? 0));
  }
  return {
    now,
    disk: { size, used, images },
    repositories,
    sent,
    manifests: manifestsOf(lines('manifests'), bytes),
    blobs: new Map(lines('blobs').map((line) => entry(line, 512))),
    asked: new Map(lines('asked').map((line) => entry(line, 1))),
    last: lastOf(lines('last')),
    isCutOff: lines('cut').length > 0,
    uploads: uploadsOf(lines('uploads')),
  };
}

/** `HEX NUMBER` */
function entry(line: string, unit: number): [digest: string, value: number] {
  const [hex = '', number = ''] = line.split(' ');
  return [`sha256:${hex}`, Number(number) * unit];
}

/** The bytes of all manifests stand behind one another; each is listed with its length. One that cannot be read has no entry. */
function manifestsOf(lines: readonly string[], bytes: Buffer): Map<string, StoredManifest> {
  const manifests = new Map<string, StoredManifest>();
  let at = 0;
  for (const line of lines) {
    const [digest, size] = entry(line, 1);
    if (!isDigest(digest) || at + size > bytes.length) throw unexpected('it ends within a manifest');
    const manifest = storedManifest(bytes.toString('utf8', at, at + size));
    at += size;
    if (manifest !== null) manifests.set(digest, manifest);
  }
  return manifests;
}

/** `OUTCOME MILLISECONDS TIME`, then `changed NAME` and `needed HEX`. */
function lastOf([first = '', ...lines]: readonly string[]): LastPrune | null {
  const [outcome, heldMs, endedAt] = first.split(' ');
  if (outcome !== 'done' && outcome !== 'changed' && outcome !== 'rolled-back') return null;
  const of = (kind: string) =>
    lines.flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []));
  const needed = new Set(of('needed').map((hex) => `sha256:${hex}`));
  return { outcome, heldMs: Number(heldMs), endedAt: Number(endedAt), changed: of('changed'), needed };
}

/** `TIME BLOCKS PATH`, of every file; each upload has a directory of its own. */
function uploadsOf(lines: readonly string[]): Map<string, { bytes: number; written: number }> {
  const uploads = new Map<string, { bytes: number; written: number }>();
  for (const line of lines) {
    const [, time, blocks, path] = /^(\S+) (\d+) (.+?\/_uploads\/[^/]+)\//.exec(line) ?? [];
    if (path === undefined) continue;
    const upload = uploads.get(path) ?? { bytes: 0, written: 0 };
    uploads.set(path, {
      bytes: upload.bytes + Number(blocks) * 512,
      written: Math.max(upload.written, Number(time)),
    });
  }
  return uploads;
}

function unexpected(happened: string, cause?: unknown): ActionError {
  return new ActionError(
    'Unexpected listing',
    {
      doing: 'reading what the registry has on its disk',
      happened,
      next: 'Run again; where it stays, look at the disk of the registry and at what the login shell of ssh-user prints',
    },
    { cause },
  );
}
