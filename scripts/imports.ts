/**
 * Shows which folder of `src/` imports which, from the top of the design to its bottom, and which imports lead up.
 *
 *     node scripts/imports.ts           prints the table
 *     node scripts/imports.ts --check   fails where an import leads up, or sideways
 *
 * A folder may import from the levels below its own, and from itself.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** From top to bottom; folders of one level do not know each other. */
export const LEVELS: readonly (readonly string[])[] = [
  ['main'],
  ['modes'],
  ['leases'],
  ['report'],
  ['health'],
  ['push', 'layout', 'machine', 'firewall', 'instance', 'runner', 'route'],
  ['converge'],
  ['google', 'ssh', 'registry', 'docker'],
  ['settings'],
  ['job'],
  ['values'],
];

/** One import statement from one folder into another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** Path of the file that imports, below `src/`. */
  readonly file: string;
  /** Path of what it imports, below `src/`, without its ending. */
  readonly imported: string;
}

/** Every import between two folders of a source tree; a file that lies in no folder counts as the folder `main`. */
export function arrowsOf(source: string): Arrow[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.sort().flatMap((file) => {
    const text = readFileSync(join(source, file), 'utf8');
    return [...text.matchAll(/\b(?:from|import|require)\s*\(?\s*'(\.[^']*)'/g)]
      .map(([, path = '']) => normalize(join(dirname(file), path)))
      .map((imported) => ({ from: folderOf(file), to: folderOf(imported), file, imported }))
      .filter(({ from, to }) => from !== to);
  });
}

/** Those that do not lead down; a folder that is in no level is an error of its own. */
export function wrongArrows(arrows: readonly Arrow[]): Arrow[] {
  return arrows.filter(({ from, to }) => levelOf(from) >= levelOf(to));
}

function folderOf(path: string): string {
  return path.split('/').length > 1 ? String(path.split('/')[0]) : 'main';
}

function levelOf(folder: string): number {
  const level = LEVELS.findIndex((folders) => folders.includes(folder));
  if (level < 0) throw new Error(`src/${folder} stands in no level of scripts/imports.ts`);
  return level;
}

/** The table: a row for each folder, a column for each folder that is imported, the number of imports in each cell. */
export function tableOf(arrows: readonly Arrow[]): string {
  const folders = LEVELS.flat();
  const width = Math.max(...folders.map(({ length }) => length));
  const head = [' '.repeat(width), ...folders].join(' ');
  const rows = folders.map((from) => {
    const cells = folders.map((to) => {
      const count = arrows.filter((arrow) => arrow.from === from && arrow.to === to).length;
      return String(count || '·').padStart(to.length);
    });
    return [from.padEnd(width), ...cells].join(' ');
  });
  return [head, ...rows].join('\n');
}

if (process.argv[1] === import.meta.filename) {
  const arrows = arrowsOf(join(import.meta.dirname, '../src'));
  const wrong = wrongArrows(arrows);
  if (!process.argv.includes('--check')) console.log(tableOf(arrows));
  for (const { file, imported } of wrong) console.error(`leads up: src/${file} imports ${imported}`);
  if (wrong.length > 0) process.exitCode = 1;
}
