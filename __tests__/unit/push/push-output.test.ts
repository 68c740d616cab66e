import fc from 'fast-check';
import { readPushOutput } from '../../../src/push/push-output';

const digest = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;

test.each([
  [
    'the classic image store',
    `The push refers to repository [h:5000/app]\nabc: Pushed\n1: digest: ${digest} size: 527\n`,
  ],
  ['line ends of Windows', `abc: Pushed\r\n1: digest: ${digest} size: 527\r\n`],
  [
    'two layers that were there',
    `abc: Layer already exists\ndef: Layer already exists\n1: digest: ${digest} size: 1\n\n`,
  ],
])('%s', (_case, output) => {
  expect(readPushOutput(output, '1')).toEqual({ digest, partOf: null });
});

test('one image of an index, in colours', () => {
  const note = `Not all multiplatform-content is present\n\u001b[31m${other}\u001b[0m -> \u001b[32m${digest}\u001b[0m\n`;
  expect(readPushOutput(`1: digest: ${digest} size: 2\n${note}`, '1')).toEqual({ digest, partOf: other });
});

test.each([
  ['Podman', 'Copying blob abc\nWriting manifest to image destination\n'],
  ['another tag', `2: digest: ${digest} size: 527\n`],
  ['a digest of another length', `1: digest: ${digest}0 size: 527\n`],
  ['nothing', ''],
])('%s names no digest', (_case, output) => {
  expect(readPushOutput(output, '1')).toBeNull();
});

test('whatever is printed, it is read without an error', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (output, tag) => {
      readPushOutput(output, tag);
    }),
  );
});
