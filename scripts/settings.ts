/**
 * Holds what people read about the settings against src/settings/table.ts:
 *
 * - README.md: the tables of inputs and outputs, between `<!-- inputs -->` … `<!-- /inputs -->` and
 *   `<!-- outputs -->` … `<!-- /outputs -->`; that of the outputs comes from action.yml
 * - schema/registry.schema.json: what the config file may hold, for editors
 * - action.yml: its inputs, in names, order and descriptions; without defaults, since an input that GitHub fills in would
 *   win over the config file
 *
 *     node scripts/settings.ts           writes README.md and the schema, and fails where action.yml differs
 *     node scripts/settings.ts --check   fails where any of them differs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { parse } from 'yaml';

/** What is taken from src/settings/table.ts. */
interface Table {
  readonly MODES: readonly string[];
  readonly NAMES: readonly string[];
  readonly mayStandInConfig: (name: string) => boolean;
  readonly settingOf: (name: string) => Setting;
}

interface Setting {
  readonly schema: Parameters<typeof toJsonSchema>[0];
  readonly list?: 'items' | 'lines';
  readonly default?: string;
  readonly required?: readonly string[];
  readonly meaning: string;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string }>>;
}

// The source is written for a bundler: it imports without endings, and package.json does not say that it has modules.
registerHooks({
  resolve: (name, context, next) => {
    if (!name.startsWith('.')) return next(name, context);
    const found = next(/\.[a-z]+$/.test(name) ? name : `${name}.ts`, context);
    return found.url.includes('/src/') && found.url.endsWith('.ts')
      ? { ...found, format: 'module-typescript' }
      : found;
  },
});
// By a variable: these scripts are compiled by other rules than the source.
const path = '../src/settings/table.ts';
const { MODES, NAMES, mayStandInConfig, settingOf }: Table = await import(path);

const root = join(import.meta.dirname, '..');
const SCHEMA_ID = 'https://raw.githubusercontent.com/org/gce-registry-action/v1/schema/registry.schema.json';

function defaultOf({ required, default: value }: Setting): string {
  if (required !== undefined) return required.length === MODES.length ? '*required*' : '';
  return value === undefined ? '' : `\`${value}\``;
}

/** As action.yml has it, where there is no other place for the default. */
function descriptionOf({ meaning, required, default: value }: Setting): string {
  const more = [
    ...(required?.length === MODES.length ? ['Required, here or in the file of `config`.'] : []),
    ...(value === undefined ? [] : [`Default: \`${value}\`.`]),
  ];
  return [meaning, ...more].join(' ');
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

/** README.md with both tables. */
function readmeWith(text: string, { outputs }: Action): string {
  const inputRows = NAMES.map((name) => {
    const setting: Setting = settingOf(name);
    return row([`\`${name}\``, defaultOf(setting), setting.meaning]);
  });
  const outputRows = Object.entries(outputs).map(([name, { description }]) =>
    row([`\`${name}\``, description]),
  );
  const inputTable = table(['Input', 'Default', 'Meaning'], inputRows);
  return between(between(text, 'inputs', inputTable), 'outputs', table(['Output', 'Meaning'], outputRows));
}

/** JSON Schema of the config file. What a pattern cannot say is checked when the file is read. */
function configSchema(): string {
  const properties = NAMES.filter(mayStandInConfig).map((name) => [name, propertyOf(name)]);
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: SCHEMA_ID,
    title: 'Settings of gce-registry-action, in the file that the input `config` names',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function propertyOf(name: string): object {
  const setting: Setting = settingOf(name);
  const { list, meaning: description } = setting;
  if (setting.default === 'true' || setting.default === 'false') {
    return { description, type: 'boolean', default: setting.default === 'true' };
  }
  const one = oneValue(setting);
  const fallback = setting.default === undefined ? {} : { default: setting.default };
  if (/^\d+$/.test(setting.default ?? '')) {
    const number = { type: 'integer', minimum: 1, maximum: 65535 };
    return { description, anyOf: [number, one], default: Number(setting.default) };
  }
  if (list === undefined) return { description, ...one, ...fallback };
  return {
    description,
    anyOf: [
      { type: 'array', items: one },
      { type: 'string', minLength: 1 },
    ],
  };
}

/** What a user may write for one value. */
function oneValue({ schema }: Setting): object {
  const { $schema, ...rest } = toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' });
  return { minLength: 1, ...rest };
}

/** In what action.yml differs from the table, one line each. */
function differences({ inputs }: Action): string[] {
  const wrong = NAMES.filter((name) => {
    const { description, ...others } = inputs[name] ?? { description: '' };
    const wanted = descriptionOf(settingOf(name));
    return description.trim() !== wanted || Object.keys(others).length > 0;
  }).map((name) => `${name}: its description alone, and it is: ${descriptionOf(settingOf(name))}`);
  const order = Object.keys(inputs).join() === NAMES.join() ? [] : [`the inputs are ${NAMES.join(', ')}`];
  return [...order, ...wrong];
}

const check = process.argv.includes('--check');
const action: Action = parse(readFileSync(join(root, 'action.yml'), 'utf8'));
for (const difference of differences(action)) {
  console.error(`action.yml differs from src/settings/table.ts: ${difference}`);
  process.exitCode = 1;
}
const readme = readFileSync(join(root, 'README.md'), 'utf8');
keep('README.md', readmeWith(readme, action));
keep('schema/registry.schema.json', configSchema());

function keep(path: string, wanted: string): void {
  const file = join(root, path);
  let present = '';
  try {
    present = readFileSync(file, 'utf8');
  } catch {
    // Not there yet.
  }
  if (present === wanted) return;
  if (!check) {
    writeFileSync(file, wanted);
    return;
  }
  console.error(`${path} is older than src/settings/table.ts: run \`node scripts/settings.ts\`.`);
  process.exitCode = 1;
}
