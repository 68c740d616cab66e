import { frontReplacement } from '../../../../src/instance/remote/front-replacement';

test.each([
  ['handed-over', { kind: 'handed-over', drained: true }],
  ['cut-off', { kind: 'handed-over', drained: false }],
  ['away 1234', { kind: 'in-place', awayMs: 1234 }],
  ['away', { kind: 'in-place', awayMs: null }],
  ['', null],
  ['away for long', null],
  ['away 99999999999999999999', null],
])('%j', (words, replacement) => {
  expect(frontReplacement(words)).toEqual(replacement);
});
