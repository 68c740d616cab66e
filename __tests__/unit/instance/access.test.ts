import { compareSync, hashSync } from 'bcryptjs';
import { InstanceAccess } from '../../../src/instance/access';
import type { Login } from '../../../src/values/logins';
import { parseUsersFile, renderUsersFile, type User } from '../../../src/values/users-file';

const hashed = (name: string, password: string, writes: boolean): User => ({
  name,
  hash: hashSync(password, 4),
  writes,
});
const login = (name: string, password: string, writes = true): Login => ({
  name,
  writes,
  secret: { kind: 'password', password },
});
const FILE = renderUsersFile([hashed('ci', 'a', true), hashed('ann', 'b', true), hashed('pod', 'c', false)]);
const LEAVE = { writers: false, readers: false };

function access(logins: readonly Login[], sole = LEAVE) {
  return new InstanceAccess({ logins, sole });
}

test('logins that are as they should be are no change, whoever else there is', async () => {
  const all = ['ci', 'ann', 'pod (may only pull)'];
  const facts = await access([login('ci', 'a')]).read(FILE);
  expect(facts).toMatchObject({ present: all, differences: [], takesAccess: false });
  expect([...facts.wanted].sort()).toEqual([...all].sort());
  expect((await access([]).read(FILE)).differences).toEqual([]);
  expect(await access([]).read(null)).toEqual({
    present: [],
    wanted: [],
    differences: [],
    takesAccess: false,
  });
});

test.each<[string, readonly Login[], typeof LEAVE, string[], boolean]>([
  ['a first one', [login('new', 'x')], LEAVE, ['there is no new'], false],
  ['another password', [login('ci', 'x')], LEAVE, ['another password for ci'], false],
  ['another right', [login('pod', 'c')], LEAVE, ['another right for pod'], true],
  [
    'a list that is all there is',
    [login('ci', 'a')],
    { ...LEAVE, writers: true },
    ['there is to be no ann'],
    true,
  ],
  ['nobody', [], { writers: true, readers: true }, ['there is to be no ci, ann, pod'], true],
])('%s', async (_, logins, sole, differences, takesAccess) => {
  expect(await access(logins, sole).read(FILE)).toMatchObject({ differences, takesAccess });
});

test('the file that is written keeps the hashes of who stays, and what is shown holds none', async () => {
  const instance = access([login('ci', 'x'), login('new', 'y', false)]);
  const facts = await instance.read(FILE);
  const users = new Map(parseUsersFile((await instance.file()) ?? '')?.map((user) => [user.name, user]));
  const before = new Map(parseUsersFile(FILE)?.map((user) => [user.name, user]));
  expect([...users.keys()].sort()).toEqual(['ann', 'ci', 'new', 'pod']);
  expect(users.get('ann')).toEqual(before.get('ann'));
  expect(compareSync('x', users.get('ci')?.hash ?? '')).toBe(true);
  expect(users.get('new')?.writes).toBe(false);
  expect(JSON.stringify(facts)).not.toContain('$2');
});

test('where nobody is to log in there is no file', async () => {
  const instance = access([], { writers: true, readers: true });
  await instance.read(FILE);
  expect(await instance.file()).toBeNull();
});

test('a file that somebody else changed is written anew, with the logins of this run alone', async () => {
  const instance = access([login('ci', 'a')]);
  const facts = await instance.read(`${FILE}# by hand\n`);
  expect(facts.differences[0]).toBe('the file was changed by somebody else');
  expect(parseUsersFile((await instance.file()) ?? '')?.map(({ name }) => name)).toEqual(['ci']);
});

test('what was written is read as it is', async () => {
  const instance = access([login('ci', 'new')]);
  await instance.read(FILE);
  const written = await instance.file();
  expect((await instance.read(written)).differences).toEqual([]);
});
