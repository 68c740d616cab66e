import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecResult } from '../job/exec';
import type { RunnerHost } from './host';

/** Read at build time: the bundle carries the script beside it. */
const SCRIPT = readFileSync(join(__dirname, 'daemon-file.sh'), 'utf8');
const TIMEOUT_MS = 90_000;

/** Runs daemon-file.sh as root, with sudo where this process is not root. Its statuses are explained there. */
export function rootScript(host: RunnerHost, args: readonly string[], stdin = ''): Promise<ExecResult> {
  const command = ['sh', '-c', SCRIPT, 'daemon-file.sh', ...args];
  const [first = '', ...rest] = host.isRoot ? command : ['sudo', '-n', ...command];
  return host.exec(first, rest, { stdin, timeoutMs: TIMEOUT_MS, keepBytes: 16 * 1024 * 1024 });
}
