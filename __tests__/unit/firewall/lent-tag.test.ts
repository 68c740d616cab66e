import fc from 'fast-check';
import { hasForGood, keepTag, lendTag, takeLentTagAway } from '../../../src/firewall/lent-tag';

const tag = fc.constantFrom('a', 'b', 'a-lent', 'c');
const tags = fc.uniqueArray(tag);

test.each([
  ['a tag that is not there is lent', lendTag(['x'], 'a'), ['x', 'a', 'a-lent']],
  ['and lent again by another check', lendTag(['x', 'a', 'a-lent'], 'a'), ['x', 'a', 'a-lent']],
  ['one that is there for good is not', lendTag(['a'], 'a'), ['a']],
  ['a lent tag goes', takeLentTagAway(['x', 'a', 'a-lent'], 'a'), ['x']],
  ['one that was made to stay meanwhile does not', takeLentTagAway(['x', 'a'], 'a'), ['x', 'a']],
  ['a lent tag is made to stay', keepTag(['a', 'a-lent'], 'a'), ['a']],
  ['a new tag is made to stay', keepTag(['x'], 'a'), ['x', 'a']],
])('%s', (_, actual, expected) => expect(actual).toEqual(expected));

test('lending and taking away leaves the tags as they were, in any order of their owner', () => {
  fc.assert(
    fc.property(tags, (before) => {
      fc.pre(!before.includes('a-lent'));
      expect(takeLentTagAway(lendTag(before, 'a'), 'a')).toEqual(before);
    }),
  );
});

test('what a set-up makes stay is there for good, and no check takes it away', () => {
  fc.assert(
    fc.property(tags, (before) => {
      const kept = keepTag(before, 'a');
      expect(hasForGood(kept, 'a')).toBe(true);
      expect(takeLentTagAway(kept, 'a')).toEqual(kept);
      expect(keepTag(kept, 'a')).toEqual(kept);
    }),
  );
});
