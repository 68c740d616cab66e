/** Somebody who may log in. */
export interface Login {
  readonly name: string;
  readonly secret: Secret;
  /** May push and delete; else only pull. */
  readonly writes: boolean;
}

/** A password, of which a hash is made, or the hash that somebody made of one. */
export type Secret =
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'hash'; readonly hash: string };

/** What can be said of logins. */
export type LoginSetting = 'username' | 'password' | 'users' | 'readers';

/** Why a login cannot be used: the setting, and a clause without a full stop that holds no secret. */
export class UnusableLogin extends Error {
  readonly setting: LoginSetting;

  constructor(setting: LoginSetting, reason: string) {
    super(reason);
    this.setting = setting;
  }
}

/** What the settings say of logins; an empty text is none. */
export interface GivenLogins {
  readonly username: string;
  readonly password: string;
  /** `name:password` or `name:bcrypt-hash`, one a line. */
  readonly users: string;
  readonly readers: string;
}

/** Of RFC 7617 a colon alone is out; the rest would need quoting in some client's file. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;
/** Of a line that begins with it, a Caddyfile makes something else: https://caddyserver.com/docs/caddyfile/directives/import */
const RESERVED = 'import';
/** As crypt(3) has them: https://www.openwall.com/crypt */
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const OTHER_HASH = /^(?:\$[A-Za-z0-9-]{1,10}\$|\{[A-Z0-9]{2,10}\})/;
/** bcrypt looks at no more, and the libraries differ in what they do with the rest. */
const MOST_BYTES = 72;
/** A comparison with cost 16 takes seconds. */
const MOST_COST = 15;
const MOST_LOGINS = 200;

/**
 * The logins that the settings name, that of the run itself first.
 *
 * @throws UnusableLogin
 */
export function readLogins({ username, password, users, readers }: GivenLogins): readonly Login[] {
  const logins = [
    ...ownLogin(username, password),
    ...listed('users', users, true),
    ...listed('readers', readers, false),
  ];
  if (logins.length > MOST_LOGINS)
    throw new UnusableLogin('users', `there are ${logins.length} logins, and ${MOST_LOGINS} are the most`);
  const seen = new Set<string>();
  for (const { name, writes } of logins) {
    if (seen.has(name))
      throw new UnusableLogin(writes ? 'users' : 'readers', `the name ${name} is there twice`);
    seen.add(name);
  }
  return logins;
}

function ownLogin(username: string, password: string): Login[] {
  if (username === '' && password === '') return [];
  if (password === '') throw new UnusableLogin('username', 'it stands without a password');
  if (username === '') throw new UnusableLogin('password', 'it stands without a username');
  checkName('username', username, 'it');
  return [{ name: username, secret: plainPassword('password', password, 'it'), writes: true }];
}

function listed(setting: 'users' | 'readers', text: string, writes: boolean): Login[] {
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.replace(/\r$/, '');
    if (/^\s*(?:#.*)?$/.test(line)) return [];
    const where = `its line ${index + 1}`;
    const colon = line.indexOf(':');
    // Without a colon it could be a password alone: nothing of it is shown.
    if (colon < 0) throw new UnusableLogin(setting, `${where} has no colon between name and password`);
    const name = line.slice(0, colon).replace(/^[ \t]+|[ \t]+$/g, '');
    checkName(setting, name, where);
    return [{ name, secret: secretOf(setting, line.slice(colon + 1), where), writes }];
  });
}

function checkName(setting: LoginSetting, name: string, where: string): void {
  if (name === RESERVED) throw new UnusableLogin(setting, `${where} has the name ${name}, which Caddy keeps`);
  if (NAME.test(name)) return;
  throw new UnusableLogin(
    setting,
    `${where} has a name with other characters than letters, digits and ._@+-`,
  );
}

function secretOf(setting: LoginSetting, text: string, where: string): Secret {
  const cost = BCRYPT.exec(text)?.[1];
  if (cost !== undefined) {
    if (Number(cost) < 4 || Number(cost) > MOST_COST)
      throw new UnusableLogin(
        setting,
        `${where} has a bcrypt hash of cost ${cost}, and 4 to ${MOST_COST} are taken`,
      );
    return { kind: 'hash', hash: text };
  }
  if (OTHER_HASH.test(text)) throw new UnusableLogin(setting, `${where} has a hash that is not bcrypt's`);
  return plainPassword(setting, text, where);
}

function plainPassword(setting: LoginSetting, password: string, where: string): Secret {
  const bytes = Buffer.byteLength(password);
  if (bytes === 0) throw new UnusableLogin(setting, `${where} has an empty password`);
  if (bytes > MOST_BYTES)
    throw new UnusableLogin(
      setting,
      `${where} has a password of ${bytes} bytes, and ${MOST_BYTES} are the most`,
    );
  if (/\p{Cc}/u.test(password))
    throw new UnusableLogin(
      setting,
      `${where} has a password with a control character, such as a newline, in it`,
    );
  return { kind: 'password', password };
}
