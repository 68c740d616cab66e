import { missingParts } from '../../../../src/instance/images/complete';
import type { Contents } from '../../../../src/instance/images/contents';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const [INDEX, IMAGE, CONFIG, LAYER] = ['a', 'b', 'c', 'd'].map(digest) as [string, string, string, string];

function contents(there: readonly string[]): Contents {
  const manifest = (children: readonly string[], blobs: readonly string[]) => ({
    children,
    blobs,
    subject: null,
    outdated: false,
  });
  const repository = {
    name: 'team/app',
    tags: new Map([['1', { digest: INDEX, pushed: 0 }]]),
    revisions: new Map([
      [INDEX, 0],
      [IMAGE, 0],
    ]),
    broken: new Set<string>(),
    sent: 0,
  };
  return {
    repositories: [repository],
    manifests: new Map(
      [[INDEX, manifest([IMAGE], [])] as const, [IMAGE, manifest([], [CONFIG, LAYER])] as const].filter(
        ([name]) => there.includes(name),
      ),
    ),
    blobs: new Map(there.map((each) => [each, 1])),
  } as unknown as Contents;
}

test.each([
  ['all of it', [INDEX, IMAGE, CONFIG, LAYER], []],
  ['no layer', [INDEX, IMAGE, CONFIG], [{ image: `team/app@${IMAGE}`, digests: [LAYER] }]],
  [
    'no image of an index',
    [INDEX, CONFIG, LAYER],
    [
      { image: `team/app@${INDEX}`, digests: [IMAGE] },
      { image: `team/app@${IMAGE}`, digests: [IMAGE] },
    ],
  ],
  [
    'nothing of what a tag leads to',
    [IMAGE, CONFIG, LAYER],
    [{ image: `team/app@${INDEX}`, digests: [INDEX] }],
  ],
])('with %s there', (_, there, expected) => {
  expect(missingParts(contents(there))).toEqual(expected);
});
