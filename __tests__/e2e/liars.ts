import { output } from './lab';

/** A user of the instance whose shell, or whose sudo, is not what it should be. */
export interface Liar {
  readonly user: string;
  readonly what: string;
  /** Title of the error that a run ends with. */
  readonly title: string;
  readonly says?: RegExp;
  /** Its run ends only by the time limit. */
  readonly waits?: true;
}

/** Everything that a program can print to make a runner do something. */
const COMMANDS = [
  '::error::owned',
  '  ::warning::owned',
  '::set-output name=health::owned',
  '::save-state name=owned::owned',
  '::add-mask::e',
  '::set-env name=PATH::owned',
  '::add-path::owned',
  '::stop-commands::owned',
  'text ##[error]owned',
  '##[set-output name=health;]owned',
  '::endgroup::',
].join('\\n');

/** Controls, a title for the terminal, the alternate screen, bidirectional marks, and bytes that are no UTF-8. */
const BYTES = '\\033[2J\\033]0;owned\\007\\033[?1049h\\342\\200\\256\\302\\233\\377\\376\\300\\200\\r\\b';

/** The marker is on the last line of the script, which sudo's bash reads: `facts MARKER …`. */
const MARKER = "marker=$(sed -n 's/^facts \\([^ ]*\\) .*/\\1/p')";

/** In place of `bash`, by user: found first by sudo, which makes a path of its own for each of them. */
const SHELLS: Readonly<Record<string, string>> = {
  'not-json': `${MARKER}; printf '%s <html>${COMMANDS}\\n' "$marker"; printf '${COMMANDS}\\n' >&2`,
  controls: `${MARKER}; printf '%s {"client":"${BYTES}\\n' "$marker"; printf '${BYTES}' >&2`,
  nested: `${MARKER}; printf '%s ' "$marker"; head -c 2000000 /dev/zero | tr '\\0' '['; echo`,
  wrong: `${MARKER}; printf '%s {"client":["::error::owned"],"##[error]owned":1}\\n' "$marker"`,
  gigabyte: `${MARKER}; printf '%s "' "$marker"; head -c 1000000000 /dev/zero | tr '\\0' a`,
  endless: `cat >/dev/null; yes "$(printf '${COMMANDS}')"`,
  'endless-errors': `cat >/dev/null; yes "$(printf '${COMMANDS}')" >&2`,
  empty: 'cat >/dev/null',
  commands: `cat >/dev/null; printf '${COMMANDS}\\n${BYTES}'; printf '${COMMANDS}\\n' >&2; exit 3`,
  silent: "trap '' TERM HUP PIPE; cat >/dev/null; while :; do sleep 1000; done",
  drip: "trap '' HUP PIPE; cat >/dev/null; while sleep 1; do echo .; done",
  poisoner:
    '/usr/bin/bash "$@" | sed \'s~"aptSources":{~"aptSources":{' +
    '"/etc/apt/x\\\\n::error::owned\\\\r##[error]owned\\\\u001b[31m\\\\u202e\\\\u009b1m":"' +
    `${Buffer.from('deb https://download.docker.com/linux/debian old stable').toString('base64')}",~; ` +
    's~"packages":{[^}]*}~"packages":{"curl":"1","ca-certificates":"1"}~; s~"service":{[^}]*}~"service":{}~; ' +
    's~"files":{[^}]*}~"files":{}~; s~"engine":"[^"]*"~"engine":""~\'',
};

/** Long lines, so that what is slow is not the reading of their number. */
const FLOOD = `yes "::error::owned $(printf 'x%.0s' $(seq 3000))"`;

/** In place of a program that the scripts call, for the users named; for all others it is what it is. */
const PROGRAMS: Readonly<Record<string, { readonly real: string; readonly lies: Record<string, string> }>> = {
  docker: {
    real: '/usr/bin/docker',
    lies: {
      'bad-docker': `printf '%s\\n' '"' '::error::owned' '##[error]owned'; exit 0`,
      talker: `[ "$1" != compose ] || printf '${COMMANDS}\\n${BYTES}\\n'`,
      'compose-flood': `[ "$1" != compose ] || ${FLOOD}`,
    },
  },
  sync: { real: '/usr/bin/sync', lies: { flood: FLOOD } },
  'dpkg-query': { real: '/usr/bin/dpkg-query', lies: { 'hung-dpkg': 'sleep 1000' } },
};

export const LIARS: readonly Liar[] = [
  { user: 'not-json', what: 'facts that are not JSON', title: 'Unexpected facts', says: /not JSON: <html>/ },
  { user: 'controls', what: 'facts that are controls and no UTF-8', title: 'Unexpected facts' },
  { user: 'nested', what: 'facts two million lists deep', title: 'Unexpected facts' },
  { user: 'wrong', what: 'facts of another shape', title: 'Unexpected facts', says: /client is not text/ },
  { user: 'bad-docker', what: 'facts with what docker says in them', title: 'Unexpected facts' },
  { user: 'gigabyte', what: 'facts of 1 GB', title: 'Too much remote output' },
  { user: 'endless', what: 'output without an end', title: 'Too much remote output' },
  { user: 'endless-errors', what: 'errors without an end', title: 'Too much remote output' },
  { user: 'empty', what: 'no facts, and success', title: 'No facts' },
  { user: 'commands', what: 'commands for the runner in place of facts', title: 'No usable shell' },
  { user: 'nologin', what: 'no login shell', title: 'No usable shell', says: /not available/ },
  { user: 'wants-password', what: 'sudo wants a password', title: 'No sudo without a password' },
  { user: 'wants-tty', what: 'sudo wants a terminal', title: 'No sudo without a password' },
  { user: 'wants-both', what: 'sudo lectures, and wants a password', title: 'No sudo without a password' },
  { user: 'no-sudo', what: 'sudo is not for this user', title: 'No sudo without a password' },
  { user: 'loud', what: 'a .bashrc that does not stop printing', title: 'Too much remote output' },
  { user: 'leaver', what: 'a .bashrc that ends the shell', title: 'No facts' },
  {
    user: 'silent',
    what: 'no output, and no end',
    title: 'Remote command timed out',
    says: /within 60 s/,
    waits: true,
  },
  {
    user: 'drip',
    what: 'a little output now and then',
    title: 'Remote command timed out',
    says: /within 60 s/,
    waits: true,
  },
  {
    user: 'hung-dpkg',
    what: 'a program that hangs',
    title: 'Remote command timed out',
    says: /within 60 s/,
    waits: true,
  },
];

const LOGIN_SHELLS: Readonly<Record<string, string>> = {
  'fish-user': '/usr/bin/fish',
  'csh-user': '/usr/bin/csh',
  nologin: '/usr/sbin/nologin',
};

const SUDOERS: Readonly<Record<string, string>> = {
  'wants-password': 'wants-password ALL=(ALL) ALL',
  'wants-tty': 'Defaults:wants-tty requiretty\nwants-tty ALL=(ALL) NOPASSWD: ALL',
  'wants-both': 'Defaults:wants-both lecture=always, lecture_file=/etc/lecture\nwants-both ALL=(ALL) ALL',
  lectured: 'Defaults:lectured lecture=always, lecture_file=/etc/lecture\nlectured ALL=(ALL) NOPASSWD: ALL',
  'no-sudo': '# nothing',
};

const START_UP_FILES: Readonly<Record<string, string>> = {
  talkative: `printf '${COMMANDS}\\n${BYTES}'; printf '${COMMANDS}' >&2`,
  loud: 'yes owned',
  leaver: 'echo owned; exit 0',
};

/**
 * Makes all of these users on registry-1, each with the key of `ownLogin`; gives the instance a banner, two more
 * shells, and no sftp.
 */
export async function prepareLiars(): Promise<void> {
  const others = [
    'poisoner',
    'talker',
    'flood',
    'compose-flood',
    'fish-user',
    'csh-user',
    'talkative',
    'lectured',
  ];
  const users = [...LIARS.map(({ user }) => user), ...others];
  const script = [
    'apt-get update -qq && apt-get install -y -qq --no-install-recommends fish csh >/dev/null 2>&1',
    ...users.map(
      (user) => `useradd --create-home --shell ${LOGIN_SHELLS[user] ?? '/bin/bash'} ${user}
        install -d -m 700 -o ${user} -g ${user} /home/${user}/.ssh
        install -m 600 -o ${user} -g ${user} /root/deployer.pub /home/${user}/.ssh/authorized_keys
        usermod -aG docker ${user}`,
    ),
    ...users.map((user) => write(`/etc/sudoers.d/${user}`, sudoersOf(user))),
    ...Object.entries(SHELLS).map(([user, body]) => write(`/opt/lies/${user}/bash`, `#!/bin/sh\n${body}`)),
    ...Object.entries(PROGRAMS).map(([name, program]) => write(`/usr/local/sbin/${name}`, wrapper(program))),
    ...Object.entries(START_UP_FILES).map(([user, body]) => write(`/home/${user}/.bashrc`, body)),
    write('/etc/lecture', '::error::owned\n##[error]owned'),
    write('/etc/banner', '::error::owned\n##[error]owned\n\u001b[31mowned\u202e'),
    "sed -i '/^Subsystem/d' /etc/ssh/sshd_config && echo 'Banner /etc/banner' >>/etc/ssh/sshd_config",
    'systemctl reload ssh',
  ];
  await output('registry-1', script.join('\n'));
}

function sudoersOf(user: string): string {
  const path =
    SHELLS[user] === undefined
      ? ''
      : `Defaults:${user} secure_path=/opt/lies/${user}:/usr/sbin:/usr/bin:/sbin:/bin\n`;
  return SUDOERS[user] ?? `${path}${user} ALL=(ALL) NOPASSWD: ALL`;
}

/** An executable file with this content, whatever is in it. */
function write(path: string, content: string): string {
  const base64 = Buffer.from(`${content}\n`).toString('base64');
  return `mkdir -p "$(dirname '${path}')" && base64 -d <<<'${base64}' >'${path}' && chmod 755 '${path}'`;
}

function wrapper({ real, lies }: { readonly real: string; readonly lies: Record<string, string> }): string {
  const cases = Object.entries(lies).map(([user, body]) => `${user}) ${body} ;;`);
  return `#!/bin/sh\ncase "$SUDO_USER" in\n${cases.join('\n')}\nesac\nexec ${real} "$@"`;
}
