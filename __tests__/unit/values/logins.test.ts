import * as fc from 'fast-check';
import { readLogins, UnusableLogin } from '../../../src/values/logins';

const NONE = { username: '', password: '', users: '', readers: '' };
const HASH = `$2y$10$${'a'.repeat(53)}`;

test('none, and all kinds of them', () => {
  expect(readLogins(NONE)).toEqual([]);
  const users = `# people\nann:se:c"r'e$t \r\n\n  bob : x\nhashed:${HASH}`;
  expect(readLogins({ username: 'ci', password: 'p\u00e4ss', users, readers: 'vm:read' })).toEqual([
    { name: 'ci', secret: { kind: 'password', password: 'p\u00e4ss' }, writes: true },
    { name: 'ann', secret: { kind: 'password', password: `se:c"r'e$t ` }, writes: true },
    { name: 'bob', secret: { kind: 'password', password: ' x' }, writes: true },
    { name: 'hashed', secret: { kind: 'hash', hash: HASH }, writes: true },
    { name: 'vm', secret: { kind: 'password', password: 'read' }, writes: false },
  ]);
});

test.each<[string, Partial<typeof NONE>, string, RegExp]>([
  ['a username alone', { username: 'ci' }, 'username', /without a password/],
  ['a password alone', { password: 'SECRET' }, 'password', /without a username/],
  ['a slash in the name', { username: 'a/b', password: 'SECRET' }, 'username', /other characters/],
  ['a word of the Caddyfile', { readers: 'a:b\nimport:SECRET' }, 'readers', /line 2 has the name import/],
  ['no colon', { users: 'SECRET' }, 'users', /line 1 has no colon/],
  ['no name', { users: ':SECRET' }, 'users', /line 1 has a name/],
  ['no password', { readers: '\na:' }, 'readers', /line 2 has an empty password/],
  ['73 bytes', { users: `a:SECRET${'x'.repeat(67)}` }, 'users', /of 73 bytes, and 72/],
  [
    '73 bytes in fewer letters',
    { username: 'a', password: `SECRET${'\u00e4'.repeat(34)}` },
    'password',
    /of 74 bytes/,
  ],
  ['a newline at the end', { username: 'a', password: 'SECRET\n' }, 'password', /control character/],
  ['a tab', { users: 'a:SECRET\tx' }, 'users', /control character/],
  ['apr1', { users: 'a:$apr1$SECRET$x' }, 'users', /not bcrypt's/],
  ['crypt', { users: 'a:$6$SECRET$x' }, 'users', /not bcrypt's/],
  ['argon2', { users: 'a:$argon2id$v=19$SECRET' }, 'users', /not bcrypt's/],
  ['SHA', { users: 'a:{SHA}SECRET=' }, 'users', /not bcrypt's/],
  ['half a bcrypt hash', { users: 'a:$2y$10$SECRET' }, 'users', /not bcrypt's/],
  ['a hash that takes minutes', { users: `a:$2y$31$${'a'.repeat(53)}` }, 'users', /of cost 31/],
  ['one name twice', { users: 'a:SECRET\na:SECRET2' }, 'users', /name a is there twice/],
  ['a reader who writes', { users: 'a:SECRET', readers: 'a:SECRET2' }, 'readers', /name a is there twice/],
  [
    'the run itself as a reader',
    { username: 'a', password: 'SECRET', readers: 'a:SECRET' },
    'readers',
    /twice/,
  ],
])('%s is refused, without what is secret', (_, given, setting, says) => {
  const read = () => readLogins({ ...NONE, ...given });
  expect(read).toThrow(UnusableLogin);
  expect(read).toThrow(expect.objectContaining({ setting, message: expect.stringMatching(says) }));
  expect(read).not.toThrow(/SECRET/);
});

test('whatever is given, the error shows no password', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 8 }),
      fc.string({ unit: 'binary' }),
      (secret, noise) => {
        try {
          readLogins({ ...NONE, username: noise.slice(0, 5), password: secret, users: `${noise}:${secret}` });
        } catch (error) {
          expect(error).toBeInstanceOf(UnusableLogin);
          if (!/^[a-z0-9 ._@+-]*$/i.test(secret)) expect(String(error)).not.toContain(secret);
        }
      },
    ),
  );
});
