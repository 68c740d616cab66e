import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Facts } from '../../../../src/instance/facts/facts';
import {
  CA_FILE,
  CA_NAMES_FILE,
  certificateSteps,
  SERVER_FILE,
  type ServerNames,
} from '../../../../src/instance/plan/certificate-plan';
import { APPLY_SCRIPT, FACTS_SCRIPT } from '../../../../src/instance/remote/assets';
import { converged } from '../example';

const DAY = 86_400_000;
const NAMES = ['registry.example.com', '192.0.2.7', '2001:db8::7', 'localhost', '127.0.0.1'];
const NOW = Date.now() + 60_000;

/** What the steps make on an instance, as the facts say it. */
function made(names: readonly string[]): ReadonlyMap<string, string> {
  const stack = mkdtempSync(join(tmpdir(), 'certificate-plan-'));
  const script = `${FACTS_SCRIPT}\n${APPLY_SCRIPT}\nSTACK=${stack}\ndocker() { return 1; }\nstep_make_ca "$@"; step_make_certificate "$@"\n`;
  execFileSync('bash', ['--norc', '-euo', 'pipefail', '-s', '--', ...names], { input: script });
  const files = {
    [CA_FILE]: 'ca/ca.crt',
    [CA_NAMES_FILE]: 'ca/names',
    [SERVER_FILE]: 'front/tls/server.crt',
  };
  const texts = Object.entries(files).map(
    ([path, file]) => [path, readFileSync(join(stack, file), 'utf8')] as const,
  );
  rmSync(stack, { recursive: true });
  return new Map(texts);
}

const own = made(NAMES);
const others = made(NAMES);
const withTexts = (
  texts: ReadonlyMap<string, string>,
  changes: Record<string, string | null> = {},
): Facts => {
  const all = new Map<string, string>([...converged().texts, ...texts]);
  for (const [path, text] of Object.entries(changes)) {
    if (text === null) all.delete(path);
    else all.set(path, text);
  }
  return { ...converged(), texts: all };
};
const steps = (facts: Facts, names: readonly string[] = NAMES, now = NOW) =>
  certificateSteps({ kind: 'private-ca', names: names as ServerNames }, facts, now).map(
    ({ action, change }) => `${action.kind}: ${change.why}`,
  );

test('what was made is what is wanted, fewer names or not', () => {
  expect(steps(withTexts(own))).toEqual([]);
  expect(steps(withTexts(own), NAMES.slice(1))).toEqual([]);
  expect(steps(withTexts(own), NAMES, NOW + 264 * DAY)).toEqual([]);
});

test.each<[string, Facts, readonly string[], number, string[]]>([
  [
    'nothing there',
    withTexts(new Map()),
    NAMES,
    NOW,
    ['make-ca: tls is private-ca', 'make-certificate: the front shows none'],
  ],
  [
    'another address',
    withTexts(own),
    [...NAMES, '192.0.2.8'],
    NOW,
    ['make-ca: the one that is there may not sign for 192.0.2.8', 'make-certificate: its CA is another one'],
  ],
  [
    'a third left',
    withTexts(own),
    NAMES,
    NOW + 266 * DAY,
    ['make-certificate: less than a third of its time is left'],
  ],
  [
    'expired',
    withTexts(own),
    NAMES,
    NOW + 400 * DAY,
    ['make-certificate: less than a third of its time is left'],
  ],
  [
    'a CA of nine years',
    withTexts(own),
    NAMES,
    NOW + 3300 * DAY,
    ['make-ca: it expires soon', 'make-certificate: its CA is another one'],
  ],
  [
    'a certificate by another CA',
    withTexts(own, { [SERVER_FILE]: String(others.get(SERVER_FILE)) }),
    NAMES,
    NOW,
    ['make-certificate: it is by somebody else'],
  ],
  [
    'a CA that was cut off',
    withTexts(own, { [CA_NAMES_FILE]: null }),
    NAMES,
    NOW,
    [
      `make-ca: the one that is there may not sign for ${NAMES.join(', ')}`,
      'make-certificate: its CA is another one',
    ],
  ],
  [
    'a file that is none',
    withTexts(own, { [SERVER_FILE]: 'x' }),
    NAMES,
    NOW,
    ['make-certificate: the front shows none'],
  ],
])('%s', (_, facts, names, now, expected) => {
  expect(steps(facts, names, now)).toEqual(expected);
});

test('one that is given is used, once; its key stands in no change', () => {
  const chain = String(own.get(SERVER_FILE));
  const names: ServerNames = ['registry.example.com'];
  const tls = { kind: 'certificate', names, given: { chain, key: 'SECRET' } } as const;
  const [step] = certificateSteps(tls, converged(), NOW);
  expect(step?.action.kind).toBe('use-certificate');
  expect(JSON.stringify(step?.change)).not.toContain('SECRET');
  expect(step?.change.to).toMatch(/^for registry\.example\.com, 192\.0\.2\.7, 2001:db8::7, .*until \d{4}-/);
  expect(certificateSteps(tls, withTexts(own), NOW)).toEqual([]);
  expect(certificateSteps({ kind: 'none' }, withTexts(own), NOW)).toEqual([]);
  expect(certificateSteps({ kind: 'certificate', names, given: null }, converged(), NOW)).toEqual([]);
});
