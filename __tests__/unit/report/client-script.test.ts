import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { clientScript } from '../../../src/report/client-script';

const AT = '192.0.2.7:5000';
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

/** The two values as the script's shell sees them. */
function valuesOf(script: string): string {
  const [head = ''] = script.split('# shellcheck');
  return spawnSync('sh', ['-s'], { input: `${head}printf '%s|%s' "$registry" "$ca"`, encoding: 'utf8' })
    .stdout;
}

test('carries registry and authority', () => {
  expect(valuesOf(clientScript(AT, PEM))).toBe(`${AT}|${PEM}`);
  expect(valuesOf(clientScript(AT, null))).toBe(`${AT}|`);
});

test('whatever they are, they are no shell code', () => {
  fc.assert(
    fc.property(
      fc
        .string({ unit: 'grapheme' })
        .filter((text) => !text.includes('\0') && !text.includes('# shellcheck')),
      (text) => {
        expect(valuesOf(clientScript(text, text))).toBe(`${text}|${text}`);
      },
    ),
    { numRuns: 30 },
  );
});

test('is one that a POSIX shell reads', () => {
  expect(spawnSync('sh', ['-n'], { input: clientScript(AT, PEM) }).status).toBe(0);
});
