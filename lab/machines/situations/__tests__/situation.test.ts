import { describe, expect, test } from '@jest/globals';
import { parseSituation, situations, situationUsage } from '../situation.ts';

describe('situations', () => {
  const all = situations();

  test.each(all.map((each) => [each.name, each] as const))(
    '%s says what it is and where it is from',
    (name, { what, source }) => {
      expect(name).toMatch(/^[a-z0-9-]+$/);
      expect(what).toMatch(/\.$/);
      expect(source.length).toBeGreaterThan(20);
    },
  );

  test('are listed, one a line', () => {
    const lines = situationUsage().trimEnd().split('\n');
    expect(lines.map((line) => line.trim().split(' ')[0])).toEqual(all.map(({ name }) => name));
  });
});

test.each([
  [
    '# On an instance: odd.\n# Source: somewhere',
    { place: 'an instance', what: 'odd.', source: 'somewhere' },
  ],
  [
    '# shellcheck shell=bash\n# On the host: x.\n# Source: y\ntrue',
    { place: 'the host', what: 'x.', source: 'y' },
  ],
])('a recipe is known by its first lines', (recipe, expected) => {
  expect(parseSituation('odd', recipe)).toEqual({ name: 'odd', ...expected });
});

test.each(['# On an instance: no source.', '# Source: no place', '# On Mars: x.\n# Source: y'])(
  'a recipe that does not say what it is, is refused: %s',
  (recipe) => {
    expect(() => parseSituation('odd', recipe)).toThrow('odd.sh');
  },
);
