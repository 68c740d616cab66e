import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/settings/config-text';
import { readSettings } from '../../../src/settings/read';
import { mayStandInConfig, NAMES, settingOf } from '../../../src/settings/table';

const schema = JSON.parse(readFileSync('schema/registry.schema.json', 'utf8')) as {
  $id: string;
  properties: Record<string, unknown>;
};
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
const example = readFileSync('examples/registry.yml', 'utf8');

test('README, action.yml and the JSON schema say what the table says', () => {
  expect(() => execFileSync('node', ['scripts/settings.ts', '--check'], { stdio: 'pipe' })).not.toThrow();
});

test('the schema has every setting that may stand in the file, and no other', () => {
  expect(Object.keys(schema.properties)).toEqual(NAMES.filter(mayStandInConfig));
});

test('the example is valid, also with what is commented out, and names the schema', () => {
  const whole = example.replace(/^# ([a-z-]+:.*| {2}- .*)$/gm, '$1').replace(/^yaml-language-server.*$/m, '');
  for (const text of [example, whole]) {
    validate(parse(text));
    expect(validate.errors).toBeNull();
    expect(() => parseConfig(text, 'registry.yml')).not.toThrow();
  }
  expect(Object.keys(parse(whole) as object)).toContain('source-ranges');
  expect(example.split('\n')[0]).toBe(`# yaml-language-server: $schema=${schema.$id}`);
});

/** What the schema takes, and what it does not; the file is read the same way. */
test.each([
  ['registry-port: 5001', true],
  ['registry-port: "5001"', true],
  ['registry-port: 70000', false],
  ['registry-port: 5000:5000', false],
  ['verify: false', true],
  ['verify: no', false],
  ['tags: [":latest", app:1]', true],
  ['tags: ":latest"', true],
  ['source-ranges: [runner, 10.0.0.0/8]', true],
  ['mode: destroy', false],
  ['ui: none', true],
  ['data-path: /mnt/registry', true],
  ['data-path: /etc/registry', false],
  ['compose-version: v2', false],
  ['ssh-user: -x', false],
  ['image: {a: b}', false],
  ['instances: web-1', false],
])('%s: %s', (line, valid) => {
  const text = `zone: europe-west1-b\ninstance: web-1\n${/^(image|mode)/.test(line) ? '' : 'image: app\n'}${line}`;
  expect(validate(parse(text))).toBe(valid);
  const read = () => {
    const given = parseConfig(text, 'registry.yml');
    return readSettings((name) => [...given].find(([each]) => each === name)?.[1].text ?? '', undefined);
  };
  if (valid) expect(read).not.toThrow();
  else expect(read).toThrow();
});

test('every default is a value that its setting takes', () => {
  for (const name of NAMES) {
    const { default: value } = settingOf(name);
    if (value !== undefined) {
      expect(() =>
        readSettings((each) => ({ zone: 'a', instance: 'b', image: 'c', [name]: value })[each] ?? '', ''),
      ).not.toThrow();
    }
  }
});
