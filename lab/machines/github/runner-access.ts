import { docker } from '../process.ts';
import { ACTION_FOLDER, RUNNER } from '../runner.ts';

const FILES = `${ACTION_FOLDER}/lab/machines/github/runner-files.ts`;

/** Arguments of `docker` that run a command as the runner's user. */
export function asRunner(command: readonly string[], options: readonly string[] = []): string[] {
  return ['exec', '--interactive', '--user', 'runner', ...options, RUNNER, ...command];
}

/** Writes files on the runner machine: contents by absolute path. */
export async function writeOnRunner(files: Readonly<Record<string, string>>): Promise<void> {
  await docker(asRunner(['node', FILES, 'write']), { stdin: JSON.stringify(files) });
}

/** Reads files on the runner machine; null for those that cannot be read. */
export async function readOnRunner(paths: readonly string[]): Promise<Record<string, string | null>> {
  return JSON.parse(await docker(asRunner(['node', FILES, 'read']), { stdin: JSON.stringify(paths) }));
}
