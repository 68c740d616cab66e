import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Mapping, mappingsOf } from './source-map.ts';

/** Line numbers, from 1 on, by path of a source. */
export type Lines = Map<string, Set<number>>;

const BUILD = 'build/bundle';
const MAP = 'build/index.js.map';
/** A source of the bundle that was compiled from src. */
const COMPILED = /^\.\.\/(build\/js\/.*)$/;

/** What V8 writes into NODE_V8_COVERAGE when a process ends; offsets count characters of the script. */
interface ProcessCoverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly {
        readonly startOffset: number;
        readonly endOffset: number;
        readonly count: number;
      }[];
    }[];
  }[];
}

/**
 * The lines of src that are in the bundle, and those of them that ran in one of the processes whose coverage is in
 * these folders. Throws where the bundle is not what `npm run build` made last.
 */
export function bundleLines(folders: readonly string[]): { readonly all: Lines; readonly ran: Lines } {
  const script = readFileSync('dist/index.js', 'utf8');
  if (script !== readFileSync(join(BUILD, 'index.js'), 'utf8'))
    throw new Error('dist/index.js is not the bundle that was built last, whose source map is here');
  const ran = offsetsThatRan(script.length, folders);
  const starts = [0];
  for (let at = script.indexOf('\n'); at >= 0; at = script.indexOf('\n', at + 1)) starts.push(at + 1);
  const lines = { all: new Map(), ran: new Map() } as { all: Lines; ran: Lines };
  const compiled = new Map<string, readonly Mapping[]>();
  for (const mapping of mappingsOf(readFileSync(MAP, 'utf8'))) {
    const file = COMPILED.exec(mapping.source)?.[1];
    if (file === undefined) continue;
    let inside = compiled.get(file);
    if (inside === undefined) {
      inside = [...mappingsOf(readFileSync(`${file}.map`, 'utf8'))];
      compiled.set(file, inside);
    }
    const origin = originOf(mapping, inside);
    if (origin === undefined) continue;
    const source = relative('.', resolve(dirname(file), origin.source));
    add(lines.all, source, origin.sourceLine + 1);
    if (ran[(starts[mapping.line] ?? 0) + mapping.column]) add(lines.ran, source, origin.sourceLine + 1);
  }
  return lines;
}

/** Where the place in a compiled file comes from: the last mapping of its line at or before it. */
function originOf({ sourceLine, sourceColumn }: Mapping, inside: readonly Mapping[]): Mapping | undefined {
  const onLine = inside.filter(({ line }) => line === sourceLine);
  return onLine.findLast(({ column }) => column <= sourceColumn) ?? onLine[0];
}

function add(lines: Lines, file: string, line: number): void {
  const known = lines.get(file) ?? new Set();
  known.add(line);
  lines.set(file, known);
}

/** 1 for each character of the script that ran in any of the processes. */
function offsetsThatRan(length: number, folders: readonly string[]): Uint8Array {
  const ever = new Uint8Array(length);
  for (const file of folders.flatMap(filesIn)) {
    const { result } = JSON.parse(readFileSync(file, 'utf8')) as ProcessCoverage;
    const script = result.find(({ url }) => url.endsWith('/dist/index.js'));
    if (script === undefined) continue;
    const now = new Uint8Array(length);
    // Outer ranges come before those inside them, which are stronger.
    for (const { ranges } of script.functions) {
      for (const { startOffset, endOffset, count } of ranges)
        now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
    for (let at = 0; at < length; at++) ever[at] = (ever[at] ?? 0) | (now[at] ?? 0);
  }
  return ever;
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name));
}
