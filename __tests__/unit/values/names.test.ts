import fc from 'fast-check';
import {
  defaultRuleName,
  defaultTargetTag,
  ipv6RuleName,
  nameOfOne,
  openingName,
  RESOURCE_NAME,
} from '../../../src/values/names';

const instance = fc.stringMatching(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
const run = { runId: '1234567890', attempt: '1', unique: 'deploy' };

test.each([
  ['web-1', true],
  ['a', true],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  ['', false],
  ['1web', false],
  ['web-', false],
  ['Web', false],
  ['web_1', false],
  ['web\n', false],
  ['wéb', false],
])('%j is a resource name: %p', (text, expected) => {
  expect(RESOURCE_NAME.test(text)).toBe(expected);
});

test('short names are kept whole', () => {
  expect(defaultRuleName('web-1')).toBe('web-1-registry');
  expect(defaultTargetTag('web-1')).toBe('web-1-registry');
  expect(ipv6RuleName('web-1-registry')).toBe('web-1-registry-ipv6');
  expect(openingName('web-1', run)).toMatch(/^web-1-registry-run-[0-9a-f]{12}$/);
});

test('every name made of an instance is a resource name, and the same each time', () => {
  fc.assert(
    fc.property(instance, (name) => {
      for (const make of [
        defaultRuleName,
        defaultTargetTag,
        ipv6RuleName,
        (of: string) => openingName(of, run),
        (of: string) => nameOfOne(of, 'p/z/i'),
      ]) {
        expect(RESOURCE_NAME.test(make(name))).toBe(true);
        expect(make(name)).toBe(make(name));
      }
    }),
  );
});

test('long names that differ only at the end stay apart', () => {
  const [a, b] = [`${'x'.repeat(60)}-1`, `${'x'.repeat(60)}-2`];
  expect(defaultRuleName(a)).not.toBe(defaultRuleName(b));
  expect(openingName(a, run)).not.toBe(openingName(b, run));
});

test('each run, attempt and job has an opening of its own', () => {
  const names = [
    run,
    { ...run, runId: '2' },
    { ...run, attempt: '2' },
    { ...run, unique: 'other' },
    { runId: '12', attempt: '3', unique: 'x' },
    { runId: '1', attempt: '23', unique: 'x' },
  ].map((identity) => openingName('web-1', identity));
  expect(new Set(names).size).toBe(names.length);
});
