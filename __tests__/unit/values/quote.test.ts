import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { parse } from 'yaml';
import { composeScalar, shellQuote } from '../../../src/values/quote';

/** Text of every kind but NUL: controls, quotes, shell syntax, all of Unicode. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'\'"`$\\;&|<>(){}[]*?!~#%^=-+,.: \n\r\t\u001b\u007f\u202e') }),
  fc.constantFrom(
    '$(touch /tmp/owned)',
    '`id`',
    '$' + '{HOME}',
    "'; rm -rf / #",
    '-n',
    '--',
    '\\',
    "\\'",
    '!!',
    '',
  ),
);
const words = fc.array(
  hostile.map((text) => text.replaceAll('\0', '').replaceAll(/[\ud800-\udfff]/gu, '')),
  { minLength: 1, maxLength: 50 },
);

describe('shellQuote', () => {
  test.each(['bash', 'sh'])('%s reads back what was quoted', (shell) => {
    fc.assert(
      fc.property(words, (texts) => {
        const script = `printf '%s\\0' ${texts.map(shellQuote).join(' ')}`;
        const output = execFileSync(shell, ['-s'], {
          input: script,
          env: { PATH: process.env.PATH ?? '' },
        });
        expect(output.toString('utf8')).toBe(texts.map((text) => `${text}\0`).join(''));
      }),
      { numRuns: 60 },
    );
  });

  test('refuses NUL', () => {
    expect(() => shellQuote('a\0b')).toThrow('NUL');
  });
});

test('composeScalar is one YAML string, and printable ASCII, with nothing to interpolate', () => {
  fc.assert(
    fc.property(words, (texts) => {
      for (const text of texts) {
        const scalar = composeScalar(text);
        expect(scalar).toMatch(/^"[\x20-\x7e]*"$/);
        expect(scalar.replaceAll('$$', '')).not.toContain('$');
        expect(parse(`value: ${scalar}`)).toEqual({ value: text.replaceAll('$', '$$$$') });
      }
    }),
  );
});
