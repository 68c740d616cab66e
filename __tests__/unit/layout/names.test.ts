import fc from 'fast-check';
import { foreignName, isSpecified, ownName, refNameOf } from '../../../src/layout/names';
import { hostileText } from '../../hostile-text';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

test.each([
  [{ repository: 'app', tag: '1' }, 'app:1', true],
  [{ repository: 'team/a.b/c', tag: 'v1.0-rc.1' }, 'team/a.b/c:v1.0-rc.1', true],
  [{ repository: 'a.b/c', tag: '1__2' }, 'a.b/c:1__2', false],
  [{ repository: 'app', tag: '_x' }, 'app:_x', false],
  [{ repository: 'app', tag: 'x-' }, 'app:x-', false],
  [{ repository: 'a__b', tag: '1' }, 'a__b:1', false],
  [{ repository: 'library/app', tag: 'latest' }, 'library/app:latest', true],
  [{ repository: 'app', tag: null }, `app@${DIGEST}`, true],
] as const)('%j is %s, and is read back', (name, refName, specified) => {
  expect(refNameOf(name, DIGEST)).toBe(refName);
  expect(ownName(refName, DIGEST)).toEqual(name);
  expect(isSpecified(refName)).toBe(specified);
});

test.each([
  '',
  'app',
  ':1',
  'app:',
  'App:1',
  '../x:1',
  'app:a/b',
  `app@${OTHER}`,
  `app:1@${DIGEST}`,
  'a//b:1',
  '/a:1',
])('%j is no name of this action’s', (refName) => expect(ownName(refName, DIGEST)).toBeNull());

test.each([
  ['1.0', 'docker.io/library/app:1.0', null, 'app', '1.0'],
  ['1.0', 'ghcr.io/acme/app:1.0', null, 'acme/app', '1.0'],
  ['acme/app:1.0', null, null, 'acme/app', '1.0'],
  ['localhost:5000/app:1', null, null, 'app', '1'],
  ['203.0.113.9:5000/team/app:1', null, null, 'team/app', '1'],
  [`app@${DIGEST}`, null, null, 'app', null],
  [`app:1@${DIGEST}`, null, null, 'app', '1'],
  ['index.docker.io/library/app:latest', null, null, 'app', 'latest'],
  ['1.0', null, { repository: 'x/y', tag: null }, 'x/y', '1.0'],
  [null, null, { repository: 'x/y', tag: '7' }, 'x/y', '7'],
  [null, null, { repository: 'x/y', tag: null }, 'x/y', null],
])('%j and %j, with %j in reserve: %s:%s', (refName, containerdName, fallback, repository, tag) => {
  expect(foreignName({ refName, containerdName }, DIGEST, fallback)).toEqual({ repository, tag });
});

test.each([
  ['1.0', null, null],
  [null, null, null],
  [`app@${OTHER}`, null, null],
  ['not a tag', null, { repository: 'x', tag: null }],
  ['-x', null, { repository: 'x', tag: null }],
])('%j and %j, with %j in reserve: nowhere', (refName, containerdName, fallback) => {
  expect(foreignName({ refName, containerdName }, DIGEST, fallback)).toBeNull();
});

test('whatever a layout says, a name is nothing but a repository and a tag', () => {
  const piece = fc.oneof(hostileText, fc.constantFrom('app', '1.0', '..', '/', ':', '@', DIGEST, 'a.b'));
  const text = fc.oneof(
    hostileText,
    fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(fc.option(text), fc.option(text), fc.boolean(), (refName, containerdName, reserve) => {
      const fallback = reserve ? { repository: 'x', tag: null } : null;
      const own = refName === null ? null : ownName(refName, DIGEST);
      for (const name of [own, foreignName({ refName, containerdName }, DIGEST, fallback)]) {
        if (name === null) continue;
        expect(name.repository).toMatch(/^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/);
        expect(name.repository.split('/')).not.toContain('..');
        if (name.tag !== null) expect(name.tag).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
      }
    }),
  );
});
