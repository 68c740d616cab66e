import { readLogins, UnusableLogin } from '../values/logins';
import { inputPlace, refuse } from './given';
import type { AccessSettings, TlsSettings } from './types';
import type { Values } from './values';

/** In place of a list: there is to be nobody. */
const NOBODY = 'none';

/**
 * Who may log in. A list that is not given leaves those that there are; one that is given is all there are of its kind.
 *
 * @param loopback nobody reaches the registry but through SSH
 * @throws ActionError `Invalid input`, with nothing secret in it
 */
export function readAccess(values: Values, tls: TlsSettings, loopback: boolean): AccessSettings {
  const text = (name: 'username' | 'password' | 'users' | 'readers') => values.get(name) ?? '';
  const listed = (name: 'users' | 'readers') => (text(name).trim() === NOBODY ? '' : text(name));
  const given = {
    username: text('username'),
    password: text('password'),
    users: listed('users'),
    readers: listed('readers'),
  };
  try {
    const logins = readLogins(given);
    if (logins.length > 0 && tls.kind === 'none' && !loopback)
      refuseWithoutTls(given.username !== '' ? 'username' : 'users');
    return {
      login: given.username === '' ? null : { username: given.username, password: given.password },
      logins,
      sole: { writers: values.has('users'), readers: values.has('readers') },
      anonymousPull: values.get('anonymous-pull'),
    };
  } catch (error) {
    if (!(error instanceof UnusableLogin)) throw error;
    return refuse(
      { text: null, place: inputPlace(error.setting) },
      error.message,
      'Use `username` and `password` for this run, and `name:password` or `name:bcrypt-hash`, one a line, in the lists',
    );
  }
}

function refuseWithoutTls(name: 'username' | 'users'): never {
  return refuse(
    { text: null, place: inputPlace(name) },
    'there is a login, and `tls` is none: whoever sits between could read it',
    'Set `tls: private-ca`, `acme` or `certificate`, or `route: ssh` without CIDRs in `source-ranges`',
  );
}
