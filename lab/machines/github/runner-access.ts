import { docker } from '../process.ts';
import { RUNNER } from '../runner.ts';

/** Arguments of `docker` that run a command as the runner's user. */
export function asRunner(command: readonly string[], options: readonly string[] = []): string[] {
  return ['exec', '--interactive', '--user', 'runner', ...options, RUNNER, ...command];
}

/** Reads pairs of lines in base64, a path and a content. */
const WRITE = `while read -r path && read -r content; do
  path=$(base64 -d <<<"$path")
  mkdir -p "\${path%/*}"
  (umask 137; base64 -d <<<"$content" >"$path")
done`;
/** Prints each file as a line in base64, and - for one that cannot be read. */
const READ = 'for path; do if [ -r "$path" ]; then base64 -w 0 "$path"; echo; else echo -; fi; done';

/** Writes files on the runner machine: contents by absolute path. */
export async function writeOnRunner(files: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(files).flat().map(encoded);
  await docker(asRunner(['bash', '-euo', 'pipefail', '-c', WRITE]), { stdin: `${lines.join('\n')}\n` });
}

/** Reads files on the runner machine; null for those that cannot be read. */
export async function readOnRunner(paths: readonly string[]): Promise<Record<string, string | null>> {
  const lines = (await docker(asRunner(['bash', '-euo', 'pipefail', '-c', READ, 'read', ...paths]))).split(
    '\n',
  );
  return Object.fromEntries(paths.map((path, index) => [path, decoded(lines[index])]));
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decoded(line: string | undefined): string | null {
  return line === undefined || line === '-' ? null : Buffer.from(line, 'base64').toString();
}
