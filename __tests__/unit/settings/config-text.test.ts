import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { parseConfig } from '../../../src/settings/config-text';
import { mayStandInConfig, NAMES, SECRETS } from '../../../src/settings/table';
import { ActionError } from '../../../src/values/errors';
import { expectSafe, hostileText } from '../../hostile-text';

const FILE = '.github/registry.yml';

function texts(yaml: string): Record<string, string | string[]> {
  const given = [...parseConfig(yaml, FILE)];
  return Object.fromEntries(
    given.map(([name, { text, items }]) => [name, items?.map((item) => item.text) ?? text]),
  );
}

function refusal(yaml: string): string {
  try {
    parseConfig(yaml, FILE);
  } catch (error) {
    if (error instanceof ActionError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

test.each([
  ['', {}],
  ['# nothing\n', {}],
  ['---\n...\n', {}],
  ['zone: europe-west1-b', { zone: 'europe-west1-b' }],
  ['\ufeffzone: a\r\ninstance: b\r\n', { zone: 'a', instance: 'b' }],
  ['%YAML 1.2\n---\nzone: a', { zone: 'a' }],
  ['{zone: a, "instance": b}', { zone: 'a', instance: 'b' }],
  ['registry-port: 5001', { 'registry-port': '5001' }],
  ['registry-port: "5001"', { 'registry-port': '5001' }],
  ['registry-port: 0x1389', { 'registry-port': '0x1389' }],
  ['registry-port: 5000:5000', { 'registry-port': '5000:5000' }],
  ['verify: False', { verify: 'False' }],
  ['verify: "true"', { verify: 'true' }],
  ['zone: no', { zone: 'no' }],
  ['tags: [1.10, 2026-11-25, latest]', { tags: ['1.10', '2026-11-25', 'latest'] }],
  ['compose-sha256: 1e10', { 'compose-sha256': '1e10' }],
  ['source-ranges: runner, 10.0.0.0/8', { 'source-ranges': 'runner, 10.0.0.0/8' }],
  ['source-ranges:\n  - runner\n  - 10.0.0.0/8 # office', { 'source-ranges': ['runner', '10.0.0.0/8'] }],
  ['source-ranges: []', { 'source-ranges': [] }],
  ['ssh-host-key: |\n  SHA256:abc\n  SHA256:def\n', { 'ssh-host-key': 'SHA256:abc\nSHA256:def' }],
  ['registry-name: &name Team', { 'registry-name': 'Team' }],
])('%j', (yaml, expected) => {
  expect(texts(yaml)).toEqual(expected);
});

test.each([
  [
    'zone: a\nsource-range: x',
    'line 2, column 1: there is no setting "source-range". Use `source-ranges`, the nearest',
  ],
  ['Zone: a', 'Use `zone`'],
  ['registry_port: 1', 'Use `registry-port`'],
  ['registryPort: 1', 'Use `registry-port`'],
  ['__proto__: 1', 'there is no setting "__proto__"'],
  ['constructor: 1', 'there is no setting "constructor"'],
  ['42: 1', 'there is no setting "42"'],
  [
    'zone: a\n\nzone: b',
    'line 3, column 1: `zone` stands here a second time, after .github/registry.yml, line 1, column 1',
  ],
  ['config: x', '`config` stands in the step alone'],
  ['zone:', '`zone` has no value'],
  ['zone: ~', '`zone` has no value'],
  ['zone: ""', '`zone` has no value'],
  ['tags: [a, ]', null],
  ['tags: [a, null]', 'line 1, column 11: `tags` has no value'],
  ['? zone', '`zone` has no value'],
  ['zone: {a: b}', 'line 1, column 7: `zone` has a mapping or a list where a value belongs'],
  ['zone: [a]', '`zone` is a list. Give one value'],
  ['image: [app, worker]', 'a second one is pushed by a second step'],
  ['tags: [[a]]', '`tags` has a mapping or a list'],
  ['zone: true', '`zone` is true or false to YAML, and a text is needed. Put it in quotes'],
  ['tags: [false]', 'Put it in quotes'],
  ['zone: &a b\ninstance: *a', 'line 2, column 11: `instance` has an alias'],
  ['<<: {zone: a}', 'merge keys are not read'],
  ['zone: !!js/function "x"', 'line 1, column 7'],
  ['zone: !!str x', 'there is the tag "tag:yaml.org,2002:str"'],
  ['!!omap\nzone: a', 'reading .github/registry.yml'],
  ['zone: a\n---\nzone: b', 'here a second document begins'],
  ['- zone', 'line 1, column 1: it is no mapping of settings to values'],
  ['just text', 'it is no mapping'],
  ['zone: a\n  b: c', 'line 1, column 7: it is not valid YAML'],
  ['zone: "a', 'it is not valid YAML'],
  ['zone:\ta\n\tinstance: b', 'reading .github/registry.yml, line'],
  ['%YAML 1.1\n---\nverify: no', 'an old version of YAML'],
  ['[a]: b', 'this is not the name of a setting'],
  ['*x : b', 'reading .github/registry.yml'],
  ['zone: a\u0000', 'control characters'],
  ['\u001b[31mzone: a', 'control characters'],
])('%j is refused', (yaml, message) => {
  if (message === null) expect(texts(yaml)).toBeDefined();
  else expect(refusal(yaml)).toContain(message);
});

describe('secrets', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const body = pem.split('\n')[1] ?? '';
  const account = JSON.stringify({ type: 'service_account', private_key: pem });
  const packed = Buffer.from(account).toString('base64');
  const token = 'ya29.c.c0AYnqXljhunter2hunter2hunter2';

  test.each(SECRETS)('%s does not stand in the file', (name) => {
    const message = refusal(`${name}: hunter2`);
    expect(message).toContain(`Secret in the config file: reading ${FILE}, line 1, column 1`);
    expect(message).not.toContain('hunter2');
  });

  test.each([
    ['a key', stringify({ 'registry-name': pem })],
    ['a key in a comment', `zone: a\n${pem.replace(/^/gm, '# ')}`],
    ['a key account under another name', stringify({ credentials: account })],
    ['JSON', `zone: a\ncredentials: ${account}`],
    ['base64', `registry-name: ${packed}`],
    ['base64 in lines', stringify({ 'registry-name': packed.replace(/.{60}/g, '$&\n') })],
    ['base64 as a name', `${packed}: x`],
    ['a mapping', stringify({ credentials: JSON.parse(account) })],
    ['a token', `tags: [${token}]`],
    ['a broken file', `zone: "${token}`],
  ])('%s is found, and not shown', (_, yaml) => {
    const message = refusal(yaml);
    expect(message).toMatch(/^Secret in the config file/);
    for (const part of [body, packed.slice(0, 40), token.slice(0, 20)]) expect(message).not.toContain(part);
  });
});

test.each([
  [
    'aliases that explode',
    `a: &a [x,x]\n${'bcdefghij'.replace(/./g, (c) => `${c}: &${c} [*a,*a,*a,*a,*a,*a]\n`)}`,
  ],
  ['brackets', 'zone: '.padEnd(32_768, '[')],
  ['braces', 'zone: '.padEnd(32_768, '{a: ')],
  ['dashes', 'zone:\n'.padEnd(32_768, '- ')],
  ['questions', '? '.repeat(16_000)],
  ['anchors', 'zone: '.padEnd(32_768, '&a ')],
  ['documents', '---\n'.repeat(8_000)],
  ['keys', Array.from({ length: 4000 }, (_, index) => `k${index}: 1`).join('\n')],
  ['quotes', 'zone: '.padEnd(32_768, '"')],
  ['indents', Array.from({ length: 350 }, (_, index) => `${' '.repeat(index)}a:`).join('\n')],
  ['one long name', 'z'.repeat(16_000)],
  ['base64 without end', 'A'.repeat(16_000)],
  ['blanks', `zone: ${' '.repeat(16_000)}x y z: "`],
])('%s end soon, with a short error', (_, yaml) => {
  const start = performance.now();
  expect(refusal(yaml).length).toBeLessThan(1000);
  expect(performance.now() - start).toBeLessThan(3000);
});

test('whatever a setting holds, it is read as it is, or refused with a message that is safe to print', () => {
  const names = fc.constantFrom(...NAMES.filter(mayStandInConfig));
  fc.assert(
    fc.property(
      names,
      fc.oneof(
        hostileText.map((text) => text.slice(0, 2000)),
        fc.string(),
      ),
      fc.boolean(),
      (name, value, quoted) => {
        const yaml = `${name}: ${quoted ? JSON.stringify(value) : value}`;
        try {
          const read = texts(yaml)[name];
          if (quoted) expect(read).toBe(value.trim());
        } catch (error) {
          expect(error).toBeInstanceOf(ActionError);
          expectSafe((error as ActionError).message);
          expect((error as ActionError).message.length).toBeLessThan(1000);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('whatever the file holds', () => {
  const piece = fc.oneof(
    hostileText,
    fc.constantFrom(
      ...NAMES,
      ': ',
      '\n',
      '- ',
      '  ',
      '&a ',
      '*a',
      '[',
      ']',
      '{',
      '}',
      '!!x ',
      '| ',
      '"',
      '---\n',
      '<<',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        parseConfig(pieces.join(''), FILE);
      } catch (error) {
        expect(error).toBeInstanceOf(ActionError);
        expectSafe((error as ActionError).message);
      }
    }),
    { numRuns: 500 },
  );
});
