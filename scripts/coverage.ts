/**
 * Prints how much of src ran in the unit tests and in the end-to-end tests, in lines that are in the bundle:
 *
 *     node scripts/coverage.ts UNIT.json FOLDER …
 *
 * UNIT.json is jest's report `coverage-final.json`; the folders hold what the processes of the action wrote for
 * NODE_V8_COVERAGE. Lines that never ran are in build/coverage/never.txt.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { bundleLines, type Lines } from './lines/bundle.ts';

interface Report {
  readonly [file: string]: {
    readonly statementMap: Readonly<Record<string, { readonly start: { readonly line: number } }>>;
    readonly s: Readonly<Record<string, number>>;
  };
}

const LEAST = 5;

/** With V8's provider jest has a statement a line. */
function unitLines(file: string): Lines {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  return new Map(
    Object.entries(report).map(([path, { statementMap, s }]) => {
      const ran = Object.entries(statementMap).filter(([id]) => (s[id] ?? 0) > 0);
      return [relative('.', path), new Set(ran.map(([, { start }]) => start.line))];
    }),
  );
}

const [unitFile = '', ...folders] = process.argv.slice(2);
const unit = unitLines(unitFile);
const { all, ran } = bundleLines(folders);

const files = [...all].map(([name, lines]) => {
  const [inUnit, inStories] = [unit.get(name) ?? new Set(), ran.get(name) ?? new Set()];
  const count = (of: (line: number) => boolean) => [...lines].filter(of).length;
  return {
    name,
    lines: lines.size,
    unit: count((line) => inUnit.has(line)),
    stories: count((line) => inStories.has(line)),
    either: count((line) => inUnit.has(line) || inStories.has(line)),
    never: [...lines].filter((line) => !inUnit.has(line) && !inStories.has(line)).sort((a, b) => a - b),
  };
});
const sum = (what: 'lines' | 'unit' | 'stories' | 'either') => files.reduce((n, file) => n + file[what], 0);
const percent = (what: 'unit' | 'stories' | 'either') => `${((100 * sum(what)) / sum('lines')).toFixed(1)} %`;

const missed = files.filter(({ never }) => never.length > 0).sort((a, b) => b.never.length - a.never.length);
writeFileSync(
  'build/coverage/never.txt',
  missed.map(({ name, never }) => `${name}: ${never.join(', ')}\n`).join(''),
);
console.log(`\nOf ${sum('lines')} lines of src in the bundle ran ${percent('either')}:`);
console.log(`${percent('unit')} in unit tests, ${percent('stories')} in end-to-end tests.`);
console.log('Most that never ran, all in build/coverage/never.txt:');
for (const { name, lines, never } of missed.slice(0, LEAST))
  console.log(`${String(never.length).padStart(6)} of ${lines}  ${name}`);
