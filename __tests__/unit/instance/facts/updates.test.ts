import fc from 'fast-check';
import { updateFacts } from '../../../../src/instance/facts/updates';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const tagOf = (answer: string) =>
  updateFacts(
    {
      tags: [{ image: 'registry:3', answer }],
      packages: [],
      listsAge: 1,
      packagesAge: null,
      updateAge: null,
    },
    '',
  ).tags[0];

test.each([
  [JSON.stringify({ Descriptor: { digest: DIGEST, size: 1 }, Platforms: [] }), DIGEST, ''],
  [JSON.stringify({ message: 'toomanyrequests: limit' }), null, 'toomanyrequests: limit'],
  ['', null, 'Docker did not answer within 20 s'],
  ['<html>', null, 'the answer is no JSON'],
  ['{}', null, 'the answer has no digest'],
  ['null', null, 'the answer is no JSON'],
  [JSON.stringify({ Descriptor: { digest: 'sha256:a$(touch owned)' } }), null, 'the answer has no digest'],
])('%s', (answer, digest, trouble) => {
  expect(tagOf(answer)).toEqual({ image: 'registry:3', digest, trouble });
});

test('whatever a daemon answers, there is a digest of its form, or a trouble', () => {
  const answers = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ Descriptor: fc.anything() }).map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(answers, (answer) => {
      const tag = tagOf(answer);
      if (tag?.digest == null) expect(tag?.trouble).not.toBe('');
      else expect(tag.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    }),
  );
});
