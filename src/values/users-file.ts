import type { Login } from './logins';

/** Somebody who may log in, as the instance has it. */
export interface User {
  readonly name: string;
  /** bcrypt's, as crypt(3) has it. */
  readonly hash: string;
  /** May push and delete; else only pull. */
  readonly writes: boolean;
}

/**
 * bcrypt's cost of the hashes that are made here, the least that OWASP recommends
 * (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#bcrypt). A guess takes a
 * processor 0.05 s, and so does a right login that the front does not remember: it waits its turn among the
 * guesses, and the front can do nothing else that makes some of them wait. With 12, sixteen guesses at a
 * time made it wait 7 s on two processors.
 */
export const HASH_COST = 10;

/** Whether the hash is one of the password: `compare` of bcryptjs. */
export type Compare = (password: string, hash: string) => Promise<boolean>;

/** Names, in the order of the logins; those that went, in the order of the file. Nothing secret is in it. */
export interface UsersChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** With another password, or another hash in its place. */
  readonly passwords: readonly string[];
  /** Who may write now and did not, or the other way round. */
  readonly roles: readonly string[];
}

/** No login has such a name: HTTP's Basic authentication ends it at the colon. */
const NOBODY = ':';
const FIRST_LINE = '# Written by gce-registry-action, which replaces it: do not edit.';
/** With a cost that is compared in seconds, whoever wrote it. */
const USER_LINE = /^\t(\S+) (\$2[aby]\$(?:0[4-9]|1[0-5])\$[./A-Za-z0-9]{53})$/;
const WRITER_LINE = /^\tvars \{http\.auth\.user\.id\} (\S+)$/;

/**
 * The file with the logins that the front imports: three snippets of a Caddyfile, so that all of it changes
 * at once. `logins` is what its `basic_auth` has in it. `writers` is a matcher of who may write, which there
 * has to be even if nobody may. `names` is one of requests whose login has one of the names, and is not
 * longer than a login: for no other is a hash to be computed, and none is to be kept in memory.
 *
 * A hash stands as it is: Caddy takes braces for its own, and no dollar sign outside of them
 * (https://caddyserver.com/docs/caddyfile/concepts#environment-variables).
 */
export function renderUsersFile(users: readonly User[]): string {
  const writers = [NOBODY, ...users.filter(({ writes }) => writes).map(({ name }) => name)];
  const beginnings = users.map(({ name }) => beginningOf(name)).join('|');
  return [
    FIRST_LINE,
    '(logins) {',
    ...users.map(({ name, hash }) => `\t${name} ${hash}`),
    '}',
    '(writers) {',
    ...writers.map((name) => `\tvars {http.auth.user.id} ${name}`),
    '}',
    '(names) {',
    `\theader_regexp Authorization "^(?i:basic) (${beginnings})[^ ]{0,512}$"`,
    '}',
    '',
  ].join('\n');
}

/**
 * How the base64 of a login begins, whatever its password is: what the first bytes alone decide. Of the
 * characters that a name may have, it is letters and digits, so that it stands for itself in a regular
 * expression.
 */
function beginningOf(name: string): string {
  const bytes = Buffer.from(`${name}:`);
  return bytes.toString('base64').slice(0, Math.floor((bytes.length * 8) / 6));
}

/** What renderUsersFile was given; null: it did not make this text, so nothing in it is to be relied on. */
export function parseUsersFile(text: string): readonly User[] | null {
  const lines = text.split('\n');
  const writers = new Set(lines.flatMap((line) => WRITER_LINE.exec(line)?.[1] ?? []));
  const users = lines.flatMap((line) => {
    const [, name, hash] = USER_LINE.exec(line) ?? [];
    return name === undefined || hash === undefined ? [] : [{ name, hash, writes: writers.has(name) }];
  });
  return renderUsersFile(users) === text ? users : null;
}

/**
 * How the logins differ from the users that there are. Passwords are compared one after another, which takes
 * a tenth of a second each.
 */
export async function usersChange(
  present: readonly User[],
  logins: readonly Login[],
  compare: Compare,
): Promise<UsersChange> {
  const users = new Map(present.map((user) => [user.name, user]));
  const names = new Set(logins.map(({ name }) => name));
  const added: string[] = [];
  const passwords: string[] = [];
  const roles: string[] = [];
  for (const login of logins) {
    const user = users.get(login.name);
    if (user === undefined) {
      added.push(login.name);
      continue;
    }
    if (user.writes !== login.writes) roles.push(login.name);
    if (!(await isOf(login, user, compare))) passwords.push(login.name);
  }
  return { added, removed: [...users.keys()].filter((name) => !names.has(name)), passwords, roles };
}

async function isOf({ secret }: Login, { hash }: User, compare: Compare): Promise<boolean> {
  return secret.kind === 'hash' ? secret.hash === hash : compare(secret.password, hash);
}

/** Whether the users are what they should be. */
export function isNoChange({ added, removed, passwords, roles }: UsersChange): boolean {
  return [added, removed, passwords, roles].every((names) => names.length === 0);
}

/**
 * The users that the logins make: a password that is the same as before keeps its hash, any other is given
 * one.
 *
 * @param hash bcrypt's of a password, with HASH_COST
 */
export async function usersOf(
  present: readonly User[],
  logins: readonly Login[],
  { added, passwords }: UsersChange,
  hash: (password: string) => Promise<string>,
): Promise<readonly User[]> {
  const outdated = new Set([...added, ...passwords]);
  const kept = new Map(
    present.filter(({ name }) => !outdated.has(name)).map((user) => [user.name, user.hash]),
  );
  const users: User[] = [];
  for (const { name, secret, writes } of logins) {
    const known = secret.kind === 'hash' ? secret.hash : (kept.get(name) ?? (await hash(secret.password)));
    users.push({ name, hash: known, writes });
  }
  return users;
}
