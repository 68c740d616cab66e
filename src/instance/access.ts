import { compare, hash } from 'bcryptjs';
import type { AccessSettings } from '../settings/types';
import type { Login } from '../values/logins';
import {
  HASH_COST,
  isNoChange,
  parseUsersFile,
  renderUsersFile,
  type User,
  type UsersChange,
  usersChange,
  usersOf,
} from '../values/users-file';
import type { UsersFacts } from './facts/users';

/**
 * The logins of one instance, and those that a run wants. What is secret of them stays in here: facts and plans see names.
 * Passwords are compared with the hashes on this runner, so that one that is the same is no change.
 */
export class InstanceAccess {
  private readonly settings: Pick<AccessSettings, 'logins' | 'sole'>;
  private present: readonly User[] = [];
  private wanted: readonly Login[] = [];
  private change: UsersChange = { added: [], removed: [], passwords: [], roles: [] };
  /** Comparing takes a tenth of a second for each login. */
  private known: { readonly text: string; readonly facts: UsersFacts } | null = null;

  constructor(settings: Pick<AccessSettings, 'logins' | 'sole'>) {
    this.settings = settings;
  }

  /** @param text the file on the instance; null: there is none, so nobody has to log in */
  async read(text: string | null): Promise<UsersFacts> {
    if (this.known?.text === (text ?? '')) return this.known.facts;
    const parsed = text === null ? [] : parseUsersFile(text);
    this.present = parsed ?? [];
    this.wanted = [...this.settings.logins, ...this.others()];
    this.change = await usersChange(this.present, this.wanted, compare);
    const facts = this.factsOf(parsed === null);
    this.known = { text: text ?? '', facts };
    return facts;
  }

  /** The file as it is wanted; null: there is to be none. */
  async file(): Promise<string | null> {
    if (this.wanted.length === 0) return null;
    const users = await usersOf(this.present, this.wanted, this.change, (each) => hash(each, HASH_COST));
    return renderUsersFile(users);
  }

  /** Of those that there are, whom the run does not name and leaves alone. */
  private others(): Login[] {
    const { logins, sole } = this.settings;
    const named = new Set(logins.map(({ name }) => name));
    return this.present
      .filter(({ name, writes }) => !named.has(name) && !(writes ? sole.writers : sole.readers))
      .map(({ name, hash, writes }) => ({ name, writes, secret: { kind: 'hash', hash } }));
  }

  private factsOf(isBroken: boolean): UsersFacts {
    const { added, removed, passwords, roles } = this.change;
    const clause = (what: string, names: readonly string[]) =>
      names.length === 0 ? [] : [`${what} ${names.join(', ')}`];
    const differences = [
      ...(isBroken ? ['the file was changed by somebody else'] : []),
      ...clause('there is no', added),
      ...clause('there is to be no', removed),
      ...clause('another password for', passwords),
      ...clause('another right for', roles),
    ];
    const present = this.present.map(titleOf);
    const wanted = this.wanted.map(titleOf);
    if (!isBroken && isNoChange(this.change)) return { present, wanted, differences: [], takesAccess: false };
    return { present, wanted, differences, takesAccess: removed.length + roles.length > 0 };
  }
}

function titleOf({ name, writes }: Pick<User, 'name' | 'writes'>): string {
  return writes ? name : `${name} (may only pull)`;
}
