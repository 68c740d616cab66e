import fc from 'fast-check';
import { covers, parseRanges, rangeOf, sameRanges } from '../../../src/values/ranges';

test.each<[string, string[], string[]]>([
  ['nothing', [], []],
  ['addresses become networks of one', ['203.0.113.7', '2001:db8::7'], ['203.0.113.7/32', '2001:db8::7/128']],
  ['everything', ['::/0', '0.0.0.0/0'], ['0.0.0.0/0', '::/0']],
  [
    'sorted by number, not as text',
    ['10.0.0.0/8', '9.0.0.0/8', '192.0.2.0/24'],
    ['9.0.0.0/8', '10.0.0.0/8', '192.0.2.0/24'],
  ],
  ['each once, canonical', ['2001:DB8:0::/32', '2001:db8::/32'], ['2001:db8::/32']],
  ['a range inside another is left out', ['10.1.0.0/16', '10.0.0.0/8', '10.1.2.3'], ['10.0.0.0/8']],
  ['IPv4 in IPv6 form', ['::ffff:192.0.2.1', '::ffff:198.51.100.0/120'], ['192.0.2.1/32', '198.51.100.0/24']],
])('%s', (_name, items, expected) => {
  expect(parseRanges(items)).toEqual(expected);
});

test.each([
  ['203.0.113.7/24', '203.0.113.0/24'],
  ['2001:db8::1/32', '2001:db8::/32'],
])('%s: the error shows the network that was meant', (item, network) => {
  expect(() => parseRanges([item])).toThrow(`the network is ${network}`);
});

test.each([
  '',
  'runners',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '010.0.0.0/8',
  '0x0a.0.0.1',
  '::/129',
  'fe80::1%eth0',
  '::ffff:192.0.2.0/24',
  '10.0.0.0/8\n',
  ' 10.0.0.1',
])('%j is refused', (item) => {
  expect(() => parseRanges([item])).toThrow(expect.objectContaining({ title: 'Invalid source range' }));
});

test('more ranges than a rule takes are refused', () => {
  const items = Array.from({ length: 257 }, (_, at) => `10.${at >> 8}.${at & 255}.1`);
  expect(() => parseRanges(items)).toThrow(expect.objectContaining({ title: 'Too many source ranges' }));
  expect(parseRanges([...items.slice(0, 256), '2001:db8::1'])).toHaveLength(257);
});

test.each<[string[], string, boolean]>([
  [['10.0.0.0/8'], '10.255.255.255', true],
  [['10.0.0.0/8'], '11.0.0.0', false],
  [['10.0.0.0/8'], '::ffff:10.0.0.1', true],
  [['0.0.0.0/0'], '2001:db8::1', false],
  [['::/0'], '192.0.2.1', false],
  [['::/0'], '2001:db8::1', true],
  [['10.0.0.0/8'], 'nonsense', false],
  [[], '10.0.0.1', false],
])('%j covers %s: %p', (ranges, address, expected) => {
  expect(covers(ranges, address)).toBe(expected);
});

test.each<[string[], string[], boolean]>([
  [['10.0.0.0/25', '10.0.0.128/25'], ['10.0.0.0/24'], true],
  [['10.0.0.0/26', '10.0.0.64/26', '10.0.0.128/25'], ['10.0.0.0/24'], true],
  [['10.0.0.128/25', '10.0.1.0/25'], ['10.0.0.128/24'], false],
  [['0.0.0.0/1', '128.0.0.0/1'], ['0.0.0.0/0'], true],
  [['192.0.2.1'], ['192.0.2.1/32'], true],
  [['2001:0db8::/32'], ['2001:db8::/32'], true],
  [[], ['0.0.0.0/0'], false],
])('%j and %j admit the same: %p', (left, right, expected) => {
  expect(sameRanges(left, right)).toBe(expected);
  expect(sameRanges(right, left)).toBe(expected);
});

test('one address as a range', () => {
  expect(rangeOf('203.0.113.7')).toBe('203.0.113.7/32');
  expect(rangeOf('::ffff:203.0.113.7')).toBe('203.0.113.7/32');
  expect(rangeOf('2001:DB8::7')).toBe('2001:db8::7/128');
  expect(rangeOf('203.0.113.7/32')).toBeNull();
});

const address = fc.oneof(fc.ipV4(), fc.ipV6());

test('whatever is given, what comes back is its own canonical form and admits each address', () => {
  fc.assert(
    fc.property(fc.array(address, { maxLength: 20 }), (items) => {
      const ranges = parseRanges(items);
      expect(parseRanges(ranges)).toEqual(ranges);
      for (const item of items) expect(covers(ranges, item)).toBe(true);
      expect(sameRanges(ranges, items)).toBe(true);
    }),
  );
});

test('any text is either read or refused with our error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseRanges([text]);
      } catch (error) {
        expect(error).toMatchObject({ title: 'Invalid source range' });
      }
    }),
  );
});

test('the order of the items makes no difference', () => {
  fc.assert(
    fc.property(fc.array(address, { maxLength: 10 }), (items) => {
      expect(parseRanges([...items].reverse())).toEqual(parseRanges(items));
    }),
  );
});
