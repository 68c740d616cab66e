import { output, type Result, run } from './lab';

/** Forms that a secret can turn up in: as it is, each of its lines, as JSON writes it, and in base64. */
export function formsOf(secret: string): string[] {
  const lines = secret.split('\n').filter((line) => line.length >= 16 && !line.startsWith('-----'));
  const forms = lines.flatMap((line) => [line, ...base64Forms(line)]);
  return [...new Set([...forms, JSON.stringify(secret).slice(1, -1).split('\\n')[1] ?? ''])].filter(
    (form) => form !== '',
  );
}

/** What stands in the base64 of any text that holds the secret, whichever of the three ways it lies. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from('x'.repeat(shift) + text).toString('base64');
    // Without the characters that depend on what is in front of it and behind it.
    return encoded.slice(Math.ceil((shift * 4) / 3), -4);
  });
}

/** The marks of secrets that nobody knows beforehand: access tokens, JWTs, and private keys in OpenSSH's format. */
export const MARKS = ['ya29.c.', 'eyJhbGciOi', 'b3BlbnNzaC1rZXktdjEAAAA'];

const MACHINES = ['runner', 'registry-1'];
const PATTERNS = '/run/secrets-watch';
const FINDINGS = '/run/secrets-found';

/**
 * Looks at the command line and the environment of every process, over and over. Of the action itself the
 * environment holds its inputs, as GitHub hands them over; of its children it must not.
 */
const WATCH = `
  while [ -e ${PATTERNS} ]; do
    for file in $(grep -laF -f ${PATTERNS} /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null); do
      command=$(tr '\\0' ' ' 2>/dev/null <"\${file%/*}/cmdline")
      case "\${file##*/} $command" in
        "environ "*/dist/index.js*) ;;
        # Between fork and exec a child has its parent's memory: what is still there once it has its own name counts.
        *) if grep -qaF -f ${PATTERNS} "$file" 2>/dev/null; then echo "$file $command" >>${FINDINGS}; fi ;;
      esac
    done
    echo >>${FINDINGS}.rounds
    sleep 0.02
  done`;

function script(machine: string, text: string, stdin = ''): Promise<Result> {
  return run('bin/lab', ['exec', machine, '--', 'bash', '-c', text], stdin);
}

/** Begins to watch both machines for these texts. */
export async function watchFor(secrets: readonly string[]): Promise<void> {
  for (const machine of MACHINES) {
    // By standard input: a command line is what is searched.
    await script(
      machine,
      `cat >${PATTERNS}; rm -f ${FINDINGS}*; touch ${FINDINGS} ${FINDINGS}.rounds /run/secrets-marker`,
      `${secrets.join('\n')}\n`,
    );
    await script(machine, `setsid bash -c '${WATCH.replaceAll("'", "'\\''")}' </dev/null >/dev/null 2>&1 &`);
  }
}

/** Ends that. What was found, and how often each machine was looked at. */
export async function endWatch(): Promise<{ readonly found: string; readonly rounds: number }> {
  const results = await Promise.all(
    MACHINES.map((machine) =>
      output(machine, `rm -f ${PATTERNS}; sleep 0.5; sort -u ${FINDINGS}; wc -l <${FINDINGS}.rounds`),
    ),
  );
  const lines = results.map((result) => result.split('\n'));
  return {
    found: lines.flatMap((each) => each.slice(0, -1)).join('\n'),
    rounds: Math.min(...lines.map((each) => Number(each.at(-1)))),
  };
}

/**
 * A shell script that searches all files of a machine that were made or changed since \`watchFor\`, whatever their
 * times say, for the texts on its standard input; and the journal, which is compressed. It prints where they are.
 */
export const SEARCH = `
  cat >/run/secrets-sought
  find / /run /tmp /dev/shm /var/lib/docker /var/lib/containerd -xdev -type f -cnewer /run/secrets-marker \
    -not -name 'secrets-*' -not -name 'gha-creds-*.json' -print0 2>/dev/null |
    xargs -0r grep -laF -f /run/secrets-sought --
  journalctl --no-pager -o cat --since -10m | grep -aF -f /run/secrets-sought
  rm -f /run/secrets-sought
  true`;

/** Searches both machines; what it returns has to be empty. */
export async function searchMachines(secrets: readonly string[]): Promise<string> {
  const results = await Promise.all(
    MACHINES.map(async (machine) => {
      const { stdout } = await script(machine, SEARCH, `${secrets.join('\n')}\n`);
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => `${machine}: ${line}\n`);
    }),
  );
  return results.flat().join('');
}
