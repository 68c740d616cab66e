import { formatBytes } from '../values/bytes';
import { escapeMarkdown, table } from './markdown';

/** What a prune did, or would do. */
export interface PruneReport {
  readonly repositories: readonly PrunedRepository[];
  /** Tags that went. */
  readonly deleted: number;
  readonly freedBytes: number;
  /** Of what nothing needs any more, and stays for some hours. */
  readonly laterBytes: number;
  readonly disk: { readonly size: number; readonly usedBefore: number; readonly usedAfter: number };
  /** For how long pushes were held; null: they were not. */
  readonly heldMs: number | null;
}

export interface PrunedRepository {
  readonly name: string;
  /** Glob of its rule; null: none fits. */
  readonly rule: string | null;
  readonly tags: readonly { readonly name: string; readonly kept: string | null }[];
  /** Manifests without a tag that go. */
  readonly untagged: number;
}

/** More rows than anybody reads; a summary may have 1 MiB. */
const MOST_ROWS = 500;

/** For the job summary: a table of what goes and why the rest stays, and the disk before and after. */
export function pruneSummary(report: PruneReport, onlyPlanned: boolean): string[] {
  const rows = report.repositories.filter(changes).map(rowOf);
  const more = rows.length > MOST_ROWS ? [`… and ${rows.length - MOST_ROWS} repositories more`] : [];
  return [
    ...(rows.length === 0
      ? []
      : [table(['Repository', 'Rule', 'Goes', 'Stays'], rows.slice(0, MOST_ROWS)), ...more]),
    ...disk(report, onlyPlanned),
  ];
}

/** For the log: every tag with its reason. */
export function pruneLog({ repositories }: PruneReport): string[] {
  return repositories.flatMap(({ name, tags, untagged }) => [
    ...tags.map((tag) =>
      tag.kept === null ? `- ${name}:${tag.name} goes` : `${name}:${tag.name} stays: ${tag.kept}`,
    ),
    ...(untagged === 0 ? [] : [`- ${name}: ${untagged} manifests without a tag go`]),
  ]);
}

function changes({ tags, untagged }: PrunedRepository): boolean {
  return untagged > 0 || tags.some(({ kept }) => kept === null);
}

function rowOf({ name, rule, tags, untagged }: PrunedRepository): string[] {
  const gone = tags.flatMap((tag) => (tag.kept === null ? [tag.name] : []));
  const stays = tags.flatMap((tag) => (tag.kept === null ? [] : [`${tag.name} (${tag.kept})`]));
  const goes = [listed(gone), ...(untagged === 0 ? [] : [`${untagged} without a tag`])];
  return [name, rule ?? '–', goes.filter((each) => each !== '').join('; '), listed(stays)];
}

function listed(names: readonly string[]): string {
  return names.length <= 10
    ? names.join(', ')
    : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`;
}

function disk({ disk, freedBytes, laterBytes, heldMs }: PruneReport, onlyPlanned: boolean): string[] {
  const { size, usedBefore } = disk;
  const usedAfter = onlyPlanned ? usedBefore - freedBytes : disk.usedAfter;
  const line = (name: string, used: number) =>
    `${name} ${bar(used / size)} ${formatBytes(used)} of ${formatBytes(size)}`;
  const said = [
    `${formatBytes(freedBytes)} ${onlyPlanned ? 'would come free' : 'came free'}`,
    ...(laterBytes === 0 ? [] : [`${formatBytes(laterBytes)} more in some hours`]),
    ...(heldMs === null ? [] : [`pushes were held for ${(heldMs / 1000).toFixed(1)} s`]),
  ];
  return [
    `\`\`\`\n${line('before', usedBefore)}\n${line('after ', usedAfter)}\n\`\`\``,
    escapeMarkdown(`${said.join('; ')}.`),
  ];
}

function bar(share: number): string {
  const full = Math.max(0, Math.min(30, Math.round(share * 30)));
  return '█'.repeat(full) + '░'.repeat(30 - full);
}
