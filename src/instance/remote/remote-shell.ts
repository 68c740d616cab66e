import type { CommandResult } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What bash minds before it reads its script, which does away with the rest of the login's environment. */
const BASH_VARIABLES = '-u BASH_ENV -u ENV -u SHELLOPTS -u BASHOPTS -u POSIXLY_CORRECT';

/**
 * The one command that is run on an instance, for at most `limitMs`: a root shell that reads its script from standard input, with what sshd
 * says of the connection as `$1`, since sudo does not keep $SSH_CONNECTION. Single quotes mean the same to bash, dash,
 * fish and csh, so it does not matter which one is the login shell. Start-up files are not read (bash takes sshd's
 * socket for a reason to read .bashrc).
 *
 * sshd lets a command without a terminal live on when its connection ends, so the instance itself ends what takes too
 * long, with all its children. It does so a little later than this side, which then says why.
 */
export function shellCommand(limitMs: number): string {
  const seconds = Math.ceil(limitMs / 1000) + 5;
  const shell = `timeout -k 5 ${seconds} env ${BASH_VARIABLES} bash --norc --noprofile -s -- "$SSH_CONNECTION"`;
  return `/bin/sh -c 'PATH=${PATH}; export PATH; test "$(id -u)" = 0 && exec ${shell}; exec sudo -n ${shell}'`;
}

/**
 * Says why the script did not run, where it is clear.
 *
 * @throws ActionError `No sudo without a password`, `No usable shell`
 */
export function requireShell({ status, stderr, stdout }: CommandResult): void {
  const sudo =
    /^sudo: (?!unable to resolve host)(.*)$/m.exec(stderr)?.[1] ??
    (/sudo: (?:command )?not found/.test(stderr) ? 'not found' : null);
  if (sudo !== null) {
    throw new ActionError('No sudo without a password', {
      doing: 'becoming root on the instance with `sudo -n`',
      happened: `sudo: ${excerpt(sudo)}`,
      next: 'Use an ssh-user of group google-sudoers, or allow it in /etc/sudoers.d with `NOPASSWD: ALL` and without requiretty',
    });
  }
  if (status === 0) return;
  throw new ActionError('No usable shell', {
    doing: 'starting bash on the instance',
    happened: `it ended with status ${status ?? 'unknown'} and said: ${excerpt(`${stdout} ${stderr}`)}`,
    next: 'Check the login shell of ssh-user on the instance (`getent passwd`), and that bash is installed',
  });
}
