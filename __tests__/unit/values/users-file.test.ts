import * as fc from 'fast-check';
import type { Login } from '../../../src/values/logins';
import {
  isNoChange,
  parseUsersFile,
  renderUsersFile,
  type User,
  usersChange,
  usersOf,
} from '../../../src/values/users-file';

const hashOf = (seed: string, kind = '2b', cost = '12') => `$${kind}$${cost}$${seed.repeat(53).slice(0, 53)}`;
const ANN: User = { name: 'ann', hash: hashOf('a/'), writes: true };
const VM: User = { name: 'v.m+1@x-y_z', hash: hashOf('b.', '2y'), writes: false };

/** A hash of 'ann' here is of the password 'pw-of-ann'; each comparison is written down. */
function comparing() {
  const asked: string[] = [];
  const passwords = new Map([
    [ANN.hash, 'pw-of-ann'],
    [VM.hash, 'pw-of-vm'],
  ]);
  const compare = async (password: string, hash: string) => {
    asked.push(password);
    return passwords.get(hash) === password;
  };
  return { asked, compare };
}

const withPassword = ({ name, writes }: User, password: string): Login => ({
  name,
  writes,
  secret: { kind: 'password', password },
});
const withHash = ({ name, writes }: User, hash: string): Login => ({
  name,
  writes,
  secret: { kind: 'hash', hash },
});

test('the file', () => {
  expect(renderUsersFile([ANN, VM])).toBe(`# Written by gce-registry-action, which replaces it: do not edit.
(logins) {
	ann ${ANN.hash}
	v.m+1@x-y_z ${VM.hash}
}
(writers) {
	vars {http.auth.user.id} :
	vars {http.auth.user.id} ann
}
(names) {
	header_regexp Authorization "^(?i:basic) (YW5uO|di5tKzFAeC15X3o6)[^ ]{0,512}$"
}
`);
});

const characters = (all: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...all), minLength, maxLength });
const letters = 'ABCMNXYZabcmnxyz0189';
const name = fc
  .tuple(characters(letters, 1, 1), characters(`${letters}._@+-`, 0, 63))
  .map(([first, rest]) => first + rest);

test('of every login with one of the names, and of few others, a hash is computed', () => {
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1 }),
      name,
      fc.string({ maxLength: 255 }),
      (names, other, password) => {
        const file = renderUsersFile(names.map((each) => ({ ...ANN, name: each })));
        const pattern =
          /header_regexp Authorization "(.*)"/.exec(file)?.[1]?.replace('(?i:basic)', 'Basic') ?? '';
        expect(pattern).toMatch(/^\^Basic \([A-Za-z0-9|]+\)\[\^ \]\{0,512\}\$$/);
        const asked = (login: string) =>
          new RegExp(pattern).test(`Basic ${Buffer.from(login).toString('base64')}`);
        for (const each of names) expect(asked(`${each}:${password.slice(0, 80)}`)).toBe(true);
        // Of the last bytes of a name, some bits are in a character that the password decides as well.
        const near = names.some((each) => each.slice(0, -1) === other.slice(0, each.length - 1));
        if (!near) expect(asked(`${other}:${password}`)).toBe(false);
      },
    ),
  );
});

test('what is longer than a login is none', () => {
  const pattern = /"(.*)"/.exec(renderUsersFile([ANN]))?.[1]?.replace('(?i:basic)', 'Basic') ?? '';
  expect(new RegExp(pattern).test(`Basic YW5uO${'A'.repeat(512)}`)).toBe(true);
  expect(new RegExp(pattern).test(`Basic YW5uO${'A'.repeat(513)}`)).toBe(false);
});

test('comes back as it was', () => {
  const user = fc.record({
    name,
    hash: characters(`${letters}./`, 53, 53).map((rest) => `$2y$10$${rest}`),
    writes: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.uniqueArray(user, { selector: (each) => each.name }), (users) => {
      expect(parseUsersFile(renderUsersFile(users))).toEqual(users);
    }),
  );
});

test.each<[string, string]>([
  ['nothing', ''],
  ['half of it', renderUsersFile([ANN, VM]).slice(0, -3)],
  ['a line of somebody else', renderUsersFile([ANN]).replace('(writers)', '# mine\n(writers)')],
  ['a writer who is no user', renderUsersFile([ANN]).replace('} ann', '} eve')],
  ['no writers', renderUsersFile([ANN]).split('(writers)')[0] ?? ''],
  ['a hash that is not bcrypt', renderUsersFile([{ ...ANN, hash: '$6$salt$hash' }])],
  ['a hash that takes hours', renderUsersFile([{ ...ANN, hash: hashOf('a', '2b', '31') }])],
  ['other line ends', renderUsersFile([ANN]).replaceAll('\n', '\r\n')],
])('%s is not relied on', (_, text) => {
  expect(parseUsersFile(text)).toBeNull();
});

const NONE = { added: [], removed: [], passwords: [], roles: [] };

test.each<[string, readonly User[], readonly Login[], Partial<typeof NONE> | Record<string, string[]>]>([
  ['nobody', [], [], {}],
  ['the same', [ANN, VM], [withPassword(ANN, 'pw-of-ann'), withPassword(VM, 'pw-of-vm')], {}],
  ['in another order', [VM, ANN], [withPassword(ANN, 'pw-of-ann'), withPassword(VM, 'pw-of-vm')], {}],
  ['the same hash', [ANN], [withHash(ANN, ANN.hash)], {}],
  ['one more', [VM], [withPassword(ANN, 'x'), withPassword(VM, 'pw-of-vm')], { added: ['ann'] }],
  ['one less', [VM, ANN], [withPassword(ANN, 'pw-of-ann')], { removed: [VM.name] }],
  ['another password', [ANN], [withPassword(ANN, 'pw-of-vm')], { passwords: ['ann'] }],
  ['another hash', [ANN], [withHash(ANN, VM.hash)], { passwords: ['ann'] }],
  ['a reader now', [ANN], [withPassword({ ...ANN, writes: false }, 'pw-of-ann')], { roles: ['ann'] }],
  ['a writer now', [VM], [withHash({ ...VM, writes: true }, VM.hash)], { roles: [VM.name] }],
  [
    'all at once',
    [ANN, VM],
    [withHash({ ...ANN, writes: false }, VM.hash), withPassword({ ...VM, name: 'eve' }, 'x')],
    { added: ['eve'], removed: [VM.name], passwords: ['ann'], roles: ['ann'] },
  ],
])('%s', async (_, present, logins, expected) => {
  const { compare } = comparing();
  const change = await usersChange(present, logins, compare);
  expect(change).toEqual({ ...NONE, ...expected });
  expect(isNoChange(change)).toBe(Object.keys(expected).length === 0);
  // Once they are there, there is nothing left to do.
  const users = await usersOf(present, logins, change, async (password) => `hash of ${password}`);
  const after = await usersChange(users, logins, async (password, hash) =>
    hash.startsWith('hash of ') ? hash === `hash of ${password}` : compare(password, hash),
  );
  expect(isNoChange(after)).toBe(true);
});

test('a password that stays keeps its hash, and a hash is taken as it is', async () => {
  const hashed: string[] = [];
  const logins = [
    withPassword({ ...ANN, writes: false }, 'pw-of-ann'),
    withPassword(VM, 'new'),
    withHash({ ...ANN, name: 'hashed' }, hashOf('c')),
    withPassword({ ...ANN, name: 'eve' }, 'of eve'),
  ];
  const { asked, compare } = comparing();
  const change = await usersChange([ANN, VM], logins, compare);
  const users = await usersOf([ANN, VM], logins, change, async (password) => {
    hashed.push(password);
    return `made of ${password}`;
  });
  expect(users).toEqual([
    { name: 'ann', hash: ANN.hash, writes: false },
    { name: VM.name, hash: 'made of new', writes: false },
    { name: 'hashed', hash: hashOf('c'), writes: true },
    { name: 'eve', hash: 'made of of eve', writes: true },
  ]);
  expect(asked).toEqual(['pw-of-ann', 'new']);
  expect(hashed).toEqual(['new', 'of eve']);
});
