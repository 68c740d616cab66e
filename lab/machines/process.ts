import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** An error that is told to the user as it is, without a stack. */
export class LabError extends Error {}

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Ends the command with SIGKILL after this many milliseconds. */
  readonly timeoutMs?: number;
}

/** Runs a program without a shell and resolves with what came of it, whatever its status. Throws if there is none. */
export function attempt(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => fail(new LabError(`${program} cannot be run: ${error.message}`)));
    child.on('close', (code) =>
      done({
        status: code ?? 255,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    // A program that ends before it has read everything is judged by its status.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.stdin);
  });
}

/** Runs a program and resolves with its standard output. Throws a LabError with its last words unless it exits 0. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const finished = await attempt(program, args, options);
  if (finished.status !== 0) {
    const words = (finished.stderr.trim() || finished.stdout.trim()).split('\n').slice(-15).join('\n');
    const what = [program, ...args].join(' ').slice(0, 300);
    throw new LabError(`${what}\nended with status ${finished.status}:\n${words}`);
  }
  return finished.stdout;
}

/** Runs the Docker client. */
export function docker(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run('docker', args, options);
}

/** Starts a program that outlives this one, its output appended to `logFile`, and returns its process id. */
export function startDetached(program: string, args: readonly string[], logFile: string): number {
  const log = openSync(logFile, 'a');
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  child.unref();
  if (child.pid === undefined) throw new LabError(`${program} cannot be run`);
  return child.pid;
}

/** Whether process `pid` lives and its command line contains `words`, so that a reused id is not taken for it. */
export function isAlive(pid: number | undefined, words: string): boolean {
  if (pid === undefined) return false;
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
    return (
      state !== 'Z' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(words)
    );
  } catch {
    return false;
  }
}

/** Ends a process by SIGTERM, and by SIGKILL if it is still there after `limitMs`. */
export async function end(pid: number | undefined, words: string, limitMs = 20_000): Promise<void> {
  if (pid === undefined || !isAlive(pid, words)) return;
  process.kill(pid, 'SIGTERM');
  if (await eventually(() => !isAlive(pid, words), limitMs)) return;
  process.kill(pid, 'SIGKILL');
  await eventually(() => !isAlive(pid, words), 5_000);
}

/** Asks until the answer is true; false when it was not within `limitMs`. */
export async function eventually(
  question: () => boolean | Promise<boolean>,
  limitMs: number,
  everyMs = 100,
): Promise<boolean> {
  const limit = Date.now() + limitMs;
  while (!(await question())) {
    if (Date.now() > limit) return false;
    await new Promise((wake) => setTimeout(wake, everyMs));
  }
  return true;
}
