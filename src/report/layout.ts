import { formatBytes } from '../values/bytes';
import { escapeMarkdown, table } from './markdown';

/** What a run wrote as a layout, or put into the registry from one. */
export interface LayoutReport {
  readonly kind: 'backup' | 'restore';
  /** Folder of the layout. */
  readonly path: string;
  readonly repositories: readonly CopiedRepository[];
  /** Of all content of the layout that is written, or would be; null of one that is restored. */
  readonly bytes: number | null;
  /** Those that were downloaded, or sent. */
  readonly movedBytes: number;
  readonly notes: readonly string[];
}

export interface CopiedRepository {
  readonly name: string;
  readonly tags: number;
  /** Images that only their digest names. */
  readonly untagged: number;
}

/** More rows than anybody reads; a summary may have 1 MiB. */
const MOST_ROWS = 500;
const MOST_NOTES = 200;

/** Counts images by their repositories, in the order in which these come. */
export function byRepository(
  images: readonly { readonly repository: string; readonly tag: string | null }[],
): CopiedRepository[] {
  const counts = new Map<string, { tags: number; untagged: number }>();
  for (const { repository, tag } of images) {
    const count = counts.get(repository) ?? { tags: 0, untagged: 0 };
    if (tag === null) count.untagged += 1;
    else count.tags += 1;
    counts.set(repository, count);
  }
  return [...counts].map(([name, count]) => ({ name, ...count }));
}

/** For the job summary: a table of repositories, and what there is to say. */
export function layoutSummary(report: LayoutReport, onlyPlanned: boolean): string[] {
  const { repositories, notes } = report;
  const rows = repositories.map(({ name, tags, untagged }) => [name, String(tags), String(untagged)]);
  const more = rows.length > MOST_ROWS ? [`… and ${rows.length - MOST_ROWS} repositories more`] : [];
  const hidden = notes.length > MOST_NOTES ? [`- … and ${notes.length - MOST_NOTES} more`] : [];
  const lines = notes.slice(0, MOST_NOTES).map((note) => `- ${escapeMarkdown(note)}`);
  return [
    ...(rows.length === 0
      ? []
      : [table(['Repository', 'Tags', 'By digest alone'], rows.slice(0, MOST_ROWS)), ...more]),
    escapeMarkdown(layoutLine(report, onlyPlanned)),
    ...(lines.length === 0 ? [] : [[...lines, ...hidden].join('\n')]),
  ];
}

/** What came of it, in one sentence. */
export function layoutLine(report: LayoutReport, onlyPlanned: boolean): string {
  const { kind, path, bytes, movedBytes } = report;
  const size = bytes === null ? '' : ` (${formatBytes(bytes)})`;
  const images = `${countOf(report)}${size}`;
  if (kind === 'backup') {
    return onlyPlanned
      ? `${images} would be copied to ${path}.`
      : `${images} in ${path}; ${formatBytes(movedBytes)} downloaded.`;
  }
  return onlyPlanned
    ? `${images} would be restored from ${path}.`
    : `${images} restored from ${path}; ${formatBytes(movedBytes)} sent.`;
}

/** `3 tags and 1 image by digest alone` */
function countOf({ repositories }: LayoutReport): string {
  const sum = (of: (repository: CopiedRepository) => number) =>
    repositories.reduce((total, each) => total + of(each), 0);
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const untagged = sum((each) => each.untagged);
  const tags = count(
    sum((each) => each.tags),
    'tag',
  );
  return untagged === 0 ? tags : `${tags} and ${count(untagged, 'image')} by digest alone`;
}
