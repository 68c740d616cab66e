/**
 * Writes the tables of inputs and outputs in README.md from action.yml, between the markers
 * `<!-- inputs -->` … `<!-- /inputs -->` and `<!-- outputs -->` … `<!-- /outputs -->`.
 *
 *     node scripts/readme.ts           writes them
 *     node scripts/readme.ts --check   fails where they differ
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Field {
  readonly description: string;
  readonly default?: string;
  readonly required?: boolean;
}

interface Action {
  readonly inputs: Readonly<Record<string, Field>>;
  readonly outputs: Readonly<Record<string, Field>>;
}

const root = join(import.meta.dirname, '..');
const readme = join(root, 'README.md');

function inputRow([name, field]: [string, Field]): string {
  return row([`\`${name}\``, defaultOf(field), field.description]);
}

function defaultOf({ default: value, required }: Field): string {
  if (required === true) return '*required*';
  return value === undefined ? '' : `\`${value}\``;
}

function outputRow([name, { description }]: [string, Field]): string {
  return row([`\`${name}\``, description]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.trim().replace(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`;
}

function table(heads: readonly string[], rows: readonly string[]): string {
  return [row(heads), row(heads.map(() => '---')), ...rows].join('\n');
}

/** `text` with what stands between the two markers replaced. Throws where they are missing. */
function between(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${start} followed by ${end}`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`;
}

function generate(text: string, { inputs, outputs }: Action): string {
  const inputTable = table(['Input', 'Default', 'Meaning'], Object.entries(inputs).map(inputRow));
  const outputTable = table(['Output', 'Meaning'], Object.entries(outputs).map(outputRow));
  return between(between(text, 'inputs', inputTable), 'outputs', outputTable);
}

const action: Action = parse(readFileSync(join(root, 'action.yml'), 'utf8'));
const present = readFileSync(readme, 'utf8');
const wanted = generate(present, action);
if (present !== wanted && process.argv.includes('--check')) {
  console.error('README.md is older than action.yml: run `node scripts/readme.ts`.');
  process.exitCode = 1;
} else if (present !== wanted) {
  writeFileSync(readme, wanted);
}
