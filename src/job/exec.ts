import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChildProcess, spawn } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { exec as toolkitExec } from '@actions/exec';
import { OutputTail } from './output-tail';

/** What a local command left behind. */
export interface ExecResult {
  /** Exit status; null when a signal ended it, or it never started. */
  readonly status: number | null;
  /** The signal that ended it, or `ENOENT` and the like when it did not start. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  /** All that the command reads on standard input; without it, the command has to read none. */
  readonly stdin?: string | Buffer;
  /** After this the command and what it started are ended: SIGTERM, and SIGKILL 2 s later. */
  readonly timeoutMs: number;
  /** Called for each line of either stream as it arrives. */
  readonly onLine?: (line: string) => void;
  /** Of each stream this many bytes are kept, from its end. Default 4 MiB. */
  readonly keepBytes?: number;
}

/**
 * Runs a command on this machine, without a shell. Never throws: a command that cannot be started has the status
 * null, as one that was ended. Secrets go over `stdin`, never into `args`.
 */
export type Exec = (command: string, args: readonly string[], options: ExecOptions) => Promise<ExecResult>;

/**
 * The variables that a child may see: all but what the runner handed to this action alone. Inputs hold credentials,
 * state holds what the post step needs, and the `ACTIONS_` variables hold the job's tokens.
 */
export function childEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(INPUT_|STATE_|ACTIONS_)|^GITHUB_TOKEN$/i.test(name)),
  );
}

/** The commands of one step on this machine. */
export interface LocalCommands {
  readonly exec: Exec;
  /**
   * Ends them, because the step is cancelled. Those that got input change this machine, and take a moment: they are
   * left to end by themselves, which is what the promise is for. No command is started afterwards.
   */
  end(): Promise<unknown>;
}

/** Commands on this machine. */
export function localCommands(environment: NodeJS.ProcessEnv): LocalCommands {
  const env = childEnvironment(environment);
  const asking = new Set<ChildProcess>();
  const changing = new Set<Promise<ExecResult>>();
  let ended = false;
  return {
    exec(command, args, options) {
      if (ended) return new Promise(() => {});
      if (options.stdin === undefined) {
        return runPlain(env, command, args, options, {
          started: (child) => asking.add(child),
          gone: (child) => asking.delete(child),
        });
      }
      const result = runWithInput(env, command, args, options);
      changing.add(result);
      return result.finally(() => changing.delete(result));
    },
    end() {
      ended = true;
      for (const child of asking) endTree(child.pid, 'SIGTERM');
      return Promise.all(changing);
    },
  };
}

/** From SIGTERM to SIGKILL, and from that until the command is given up: what belongs to root may not be killed. */
const KILL_MS = 2000;
/** Of each stream, where a command's options say nothing else. */
const KEEP_BYTES = 4 * 1024 * 1024;
/** Characters; Linux takes 128 KiB in one argument. */
const MOST_ARGUMENTS = 100_000;
const IS_WINDOWS = process.platform === 'win32';

/** Who wants to know of a process that is started in this context; @actions/exec does not hand it out. */
const onStart = new AsyncLocalStorage<(child: ChildProcess) => void>();
// https://nodejs.org/api/diagnostics_channel.html#process
subscribe('child_process', (message) => onStart.getStore()?.((message as { process: ChildProcess }).process));

/**
 * The file of a command. The toolkit looks along the PATH of this process, which is not that of the environment in the
 * post step, where a later step of the job has changed it. On Windows the toolkit's search stays.
 */
function programOf(command: string, env: NodeJS.ProcessEnv): string | null {
  if (IS_WINDOWS || command.includes('/')) return command;
  const files = (env.PATH ?? '').split(delimiter).map((folder) => join(folder, command));
  return files.find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** By @actions/exec, with a time limit of our own: it has none, and `timeout` is not everywhere the same command, or any. */
async function runPlain(
  env: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
  { timeoutMs, onLine, keepBytes = KEEP_BYTES }: ExecOptions,
  watch: { started(child: ChildProcess): void; gone(child: ChildProcess): void },
): Promise<ExecResult> {
  // The toolkit's promise would never settle for these.
  if ([command, ...args].some((word) => word.includes('\0')) || args.join(' ').length > MOST_ARGUMENTS) {
    return { status: null, signal: 'E2BIG', stdout: '', stderr: '' };
  }
  const program = programOf(command, env);
  if (program === null) return { status: null, signal: 'ENOENT', stdout: '', stderr: '' };
  const out = new OutputTail(keepBytes, onLine);
  const err = new OutputTail(keepBytes, onLine);
  let child: ChildProcess | null = null;
  const began = (started: ChildProcess) => {
    child = started;
    watch.started(started);
  };
  const work = onStart.run(began, () =>
    toolkitExec(quotedForToolkit(program), [...args], {
      env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => !!entry[1])),
      silent: true,
      ignoreReturnCode: true,
      listeners: { stdout: (chunk) => out.add(chunk), stderr: (chunk) => err.add(chunk) },
    }),
  );
  const limit = new TimeLimit(timeoutMs, (signal) => endTree(child?.pid, signal));
  try {
    const status = await Promise.race([work, limit.over]);
    const signal = (child as ChildProcess | null)?.signalCode ?? null;
    const ended = status === null || signal !== null;
    return {
      status: ended ? null : status,
      signal: ended ? (signal ?? 'SIGKILL') : null,
      stdout: out.end(),
      stderr: err.end(),
    };
  } catch (error) {
    // It says in words only that there is no such command.
    const missing = child === null;
    return { status: null, signal: missing ? 'ENOENT' : codeOf(error), stdout: out.end(), stderr: err.end() };
  } finally {
    limit.clear();
    if (child !== null) watch.gone(child);
  }
}

/** The toolkit splits the command at blanks, unless it is in quotes. */
function quotedForToolkit(command: string): string {
  return `"${command}"`;
}

/** Ends a command that takes too long: SIGTERM, SIGKILL, and at last it is given up, since what belongs to root stays. */
class TimeLimit {
  /** Settles, with null, when the command is given up. */
  readonly over: Promise<null>;
  private readonly timers: NodeJS.Timeout[];

  constructor(ms: number, kill: (signal: 'SIGTERM' | 'SIGKILL') => void) {
    let giveUp: (value: null) => void = () => undefined;
    this.over = new Promise((resolve) => {
      giveUp = resolve;
    });
    this.timers = [
      setTimeout(() => kill('SIGTERM'), ms),
      setTimeout(() => kill('SIGKILL'), ms + KILL_MS),
      setTimeout(() => giveUp(null), ms + 2 * KILL_MS),
    ];
  }

  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }
}

/**
 * By node:child_process: @actions/exec does not expect that a command may end before it has read its input, and the
 * broken pipe would end this process.
 */
function runWithInput(
  env: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
  { stdin, timeoutMs, onLine, keepBytes = KEEP_BYTES }: ExecOptions,
): Promise<ExecResult> {
  const out = new OutputTail(keepBytes, onLine);
  const err = new OutputTail(keepBytes, onLine);
  return new Promise((resolve) => {
    const settle = (status: number | null, signal: string | null) =>
      resolve({ status, signal, stdout: out.end(), stderr: err.end() });
    let child: ChildProcess;
    try {
      // A process group of its own, so that what the command starts can be ended with it.
      child = spawn(command, args, {
        env,
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: !IS_WINDOWS,
        windowsHide: true,
      });
    } catch (error) {
      settle(null, codeOf(error));
      return;
    }
    const limit = new TimeLimit(timeoutMs, (signal) => signalAll(child, signal));
    const finish = (status: number | null, signal: string | null) => {
      limit.clear();
      for (const stream of child.stdio) stream?.destroy();
      child.unref();
      settle(status, status === null ? signal : null);
    };
    void limit.over.then(() => finish(child.exitCode, child.signalCode ?? 'SIGKILL'));
    child.stdout?.on('data', (chunk: Buffer) => out.add(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.add(chunk));
    child.on('error', (error) => {
      // A signal that could not be sent is reported here as well, while the command runs on.
      if (child.pid === undefined) finish(null, codeOf(error));
    });
    child.on('close', finish);
    // The command may end before it has read all of it.
    child.stdin?.on('error', () => {});
    child.stdin?.end(stdin);
  });
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

/** Signals a process and what it has started, as far as the system tells (Linux does, in /proc). */
function endTree(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  for (const each of [pid, ...descendantsOf(pid)]) {
    try {
      process.kill(each, signal);
    } catch {
      // It has ended meanwhile, or belongs to root.
    }
  }
}

function descendantsOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number);
    return children.filter(Boolean).flatMap((child) => [child, ...descendantsOf(child)]);
  } catch {
    return [];
  }
}

/** Signals a command and all that it started. */
function signalAll(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (IS_WINDOWS) {
    // Windows has no process groups, and no gentle way: https://learn.microsoft.com/windows-server/administration/windows-commands/taskkill
    spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on(
      'error',
      () => child.kill(),
    );
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // All of it has ended, or belongs to root.
  }
}
