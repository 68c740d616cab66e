import { expect, test } from '@jest/globals';
import { parseFileCommands } from '../github/file-commands.ts';

test.each([
  ['nothing', '', {}],
  ['a line', 'a=b=c\n', { a: 'b=c' }],
  ['an empty value', 'a=\n', { a: '' }],
  ['several lines', 'a<<X\none\ntwo=2\nX\nb=c\n', { a: 'one\ntwo=2', b: 'c' }],
  ['an empty value with delimiter', 'a<<X\n\nX\n', { a: '' }],
  ['the last one wins', 'a=1\na=2\n', { a: '2' }],
])('%s', (_, text, pairs) => {
  expect(parseFileCommands(text)).toEqual(pairs);
});

test('a delimiter that does not come is an error', () => {
  expect(() => parseFileCommands('a<<X\none\n')).toThrow('no closing delimiter');
});
