import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { configWith, makeClientConfig, removeClientConfig } from '../../../src/docker/client-config';

const LOGIN = { username: 'ci', password: 'a:b"$' };
const AUTH = Buffer.from('ci:a:b"$').toString('base64');
const AT = '192.0.2.7:5000';
const parsed = (present: string | null) => JSON.parse(configWith(present, AT, LOGIN));

test.each<[string, string | null, object]>([
  ['no file', null, {}],
  ['an empty object', '{}', {}],
  ['what Docker could not read either', '{', {}],
  ['a list', '[1]', {}],
  [
    'others’ logins, a store, a context',
    '{"auths":{"ghcr.io":{"auth":"eA=="}},"credsStore":"pass","currentContext":"x"}',
    { auths: { 'ghcr.io': { auth: 'eA==' } }, credsStore: 'pass', currentContext: 'x' },
  ],
  ['an old login here', `{"auths":{"${AT}":{"auth":"eA=="}}}`, {}],
  ['helpers of others', '{"credHelpers":{"gcr.io":"gcloud"}}', { credHelpers: { 'gcr.io': 'gcloud' } }],
  ['a helper for this registry', `{"credHelpers":{"${AT}":"pass"}}`, {}],
  ['helpers that are none', '{"credHelpers":7,"auths":null}', {}],
])('%s', (_, present, kept) => {
  const config = parsed(present);
  expect(config).toMatchObject(kept);
  expect(config.auths[AT]).toEqual({ auth: AUTH });
  expect(config.credHelpers[AT]).toBe(config.credsStore === undefined ? undefined : '');
});

test('whatever the file holds, the login is there, and everything else as before', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (before) => {
      const { auths, credHelpers, ...others } = parsed(JSON.stringify(before));
      expect(auths[AT]).toEqual({ auth: AUTH });
      expect(credHelpers[AT]).toBe(JSON.parse(JSON.stringify(before)).credsStore ? '' : undefined);
      const { auths: _, credHelpers: __, ...same } = JSON.parse(JSON.stringify(before));
      expect(others).toEqual(same);
    }),
  );
});

describe('the directory', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'client-'));
    mkdirSync(join(root, 'user/contexts'), { recursive: true });
    writeFileSync(join(root, 'user/contexts/x'), 'context');
    writeFileSync(join(root, 'user/config.json'), '{"currentContext":"x"}');
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const make = (user: string, noted: (directory: string) => void = () => undefined) =>
    makeClientConfig(root, join(root, user), AT, LOGIN, noted);

  test('is the user’s, with a login more that is for this user alone', async () => {
    // A builder that a later step makes is noted in the user's place.
    const told: string[] = [];
    const directory = await make('user', (made) => told.push(made, ...readdirSync(made)));
    expect(told).toEqual([directory]);
    expect(readFileSync(join(directory, 'contexts/x'), 'utf8')).toBe('context');
    expect(statSync(join(directory, 'config.json')).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')).currentContext).toBe('x');
    expect(readFileSync(join(root, 'user/config.json'), 'utf8')).toBe('{"currentContext":"x"}');
    await removeClientConfig(directory);
    await removeClientConfig(directory);
    expect(existsSync(directory)).toBe(false);
    expect(readFileSync(join(root, 'user/contexts/x'), 'utf8')).toBe('context');
  });

  test('of a user that has none', async () => {
    const directory = await make('nobody');
    expect(readdirSync(directory).sort()).toEqual(['buildx', 'config.json']);
  });

  test('nothing else is removed', async () => {
    for (const path of ['/', root, `${root}/gce-registry-docker-`, 'gce-registry-docker-abcdef']) {
      await expect(removeClientConfig(path)).rejects.toThrow('no directory of this action');
    }
  });
});
