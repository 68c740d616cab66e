import { readSettings } from '../../../src/settings/read';
import { ActionError } from '../../../src/values/errors';

function read(values: Record<string, string>) {
  const all: Record<string, string> = {
    zone: 'europe-west1-b',
    instance: 'web-1',
    image: 'me/app:3',
    ...values,
  };
  return readSettings((name) => all[name] ?? '', undefined);
}

function targets(values: Record<string, string>): string[] {
  return (read(values).push?.targets ?? []).map(
    ({ domain, path, tag }) => `${domain === undefined ? '' : `${domain}/`}${path}:${tag}`,
  );
}

function refusal(values: Record<string, string>): string {
  try {
    read(values);
  } catch (error) {
    if (error instanceof ActionError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

test.each([
  ['', ['me/app:3']],
  [':v1', ['me/app:v1']],
  [':v1, :latest\n:v1', ['me/app:v1', 'me/app:latest']],
  ['other:1', ['other:1']],
  ['203.0.113.5:5000/app:1', ['203.0.113.5:5000/app:1']],
  ['[2001:db8::5]:5000/app:1', ['[2001:db8::5]:5000/app:1']],
])('tags %j', (tags, expected) => {
  expect(targets({ tags })).toEqual(expected);
  expect(read({ tags }).warnings).toEqual([]);
});

test('as docker/metadata-action makes them, for registry-host and its port', () => {
  const names = { 'registry-host': 'Registry.example.com', 'registry-port': '5001' };
  const tags = 'registry.example.com:5001/app:main\nregistry.example.com:5001/app:sha-1234567';
  expect(targets({ ...names, tags })).toEqual(tags.split('\n'));
  expect(
    targets({ 'registry-host': 'r.example.com', 'registry-port': '443', tags: 'r.example.com/a:1' }),
  ).toEqual(['r.example.com/a:1']);
});

test.each([
  'latest',
  'main',
  'nightly',
  'v1',
  '1.2.3',
  '1',
  'v1.2.3-rc.1',
  '2026-11-25',
  '20261125',
  'sha-abcdef1',
  '0a1b2c3',
])('%s alone is a repository, with a warning that has both readings', (tags) => {
  expect(targets({ tags })).toEqual([`${tags}:latest`]);
  const [warning, ...others] = read({ tags }).warnings;
  expect(others).toEqual([]);
  expect(warning).toContain(`the repository \`${tags}\` with the tag \`latest\``);
  expect(warning).toContain(`the tag \`${tags}\` of \`me/app\`, write \`:${tags}\``);
});

test.each(['app', 'app:latest', 'team/latest', 'facade', 'defaced', 'mainframe', 'shack', ':v1', 'version1'])(
  '%s needs no warning',
  (tags) => {
    expect(read({ tags }).warnings).toEqual([]);
  },
);

test.each([
  [{ tags: 'app:feature/x' }, 'a tag has no "/"; "feature-x" would be one'],
  [{ tags: ':feature/x' }, 'a tag has no "/"; "feature-x" would be one'],
  [{ image: 'app:feature/x' }, 'a tag has no "/"; "feature-x" would be one'],
  [
    { tags: 'ghcr.io/acme/app' },
    'it names the registry "ghcr.io", and this run pushes to the address of the instance:5000',
  ],
  [{ tags: '203.0.113.5:5001/app' }, 'it names the registry "203.0.113.5:5001"'],
  [
    { tags: 'r.example.com:5000/app', 'registry-host': 'q.example.com' },
    'this run pushes to q.example.com:5000',
  ],
  [{ tags: 'Team/app' }, 'the repository must be lower case'],
  [{ tags: ':' }, 'the tag is empty'],
  [{ image: 'app, worker' }, '"app, worker" names 2 images. Name one image in a step; a second step'],
  [{ image: 'app\nworker\nweb' }, 'names 3 images'],
])('%j is refused', (values, message) => {
  expect(refusal(values)).toContain(message);
});
