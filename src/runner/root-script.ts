import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecResult } from '../job/exec';
import type { RunnerHost } from './host';

/** A shell script, and what it is called in the list of processes. */
export interface RootScript {
  readonly name: string;
  readonly text: string;
}

/** Read at build time: the bundle carries the scripts beside it. */
const DAEMON_FILE: RootScript = {
  name: 'daemon-file.sh',
  text: readFileSync(join(__dirname, 'daemon-file.sh'), 'utf8'),
};
const TIMEOUT_MS = 90_000;

/** Runs a script as root, with sudo where this process is not root. */
export function asRoot(
  host: RunnerHost,
  { name, text }: RootScript,
  args: readonly string[],
  stdin = '',
): Promise<ExecResult> {
  const command = ['sh', '-c', text, name, ...args];
  const [first = '', ...rest] = host.isRoot ? command : ['sudo', '-n', ...command];
  return host.exec(first, rest, { stdin, timeoutMs: TIMEOUT_MS, keepBytes: 16 * 1024 * 1024 });
}

/** Runs daemon-file.sh as root. Its statuses are explained there. */
export function rootScript(host: RunnerHost, args: readonly string[], stdin = ''): Promise<ExecResult> {
  return asRoot(host, DAEMON_FILE, args, stdin);
}
