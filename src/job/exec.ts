import { type ChildProcess, spawn } from 'node:child_process';
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
        return run(env, command, args, options, {
          started: (child) => asking.add(child),
          gone: (child) => asking.delete(child),
        });
      }
      const result = run(env, command, args, options);
      changing.add(result);
      return result.finally(() => changing.delete(result));
    },
    end() {
      ended = true;
      for (const child of asking) signalAll(child, 'SIGTERM');
      return Promise.all(changing);
    },
  };
}

/** From SIGTERM to SIGKILL, and from that until the command is given up: what belongs to root may not be killed. */
const KILL_MS = 2000;
const IS_WINDOWS = process.platform === 'win32';

/**
 * By node:child_process alone. @actions/exec has neither a time limit nor a handle of the process, and dies of a
 * command that ends before it has read its input; `timeout` is not everywhere the same command, or any.
 */
function run(
  env: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
  { stdin, timeoutMs, onLine, keepBytes = 4 * 1024 * 1024 }: ExecOptions,
  watch?: { started(child: ChildProcess): void; gone(child: ChildProcess): void },
): Promise<ExecResult> {
  const out = new OutputTail(keepBytes, onLine);
  const err = new OutputTail(keepBytes, onLine);
  return new Promise((resolve) => {
    const settle = (status: number | null, signal: string | null) =>
      resolve({ status, signal, stdout: out.end(), stderr: err.end() });
    let child: ChildProcess;
    try {
      // A process group of its own, so that what the command starts can be ended with it.
      const stdio = [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] as const;
      child = spawn(command, args, { env, stdio: [...stdio], detached: !IS_WINDOWS, windowsHide: true });
    } catch (error) {
      settle(null, codeOf(error));
      return;
    }
    watch?.started(child);
    const timers = [
      setTimeout(() => signalAll(child, 'SIGTERM'), timeoutMs),
      setTimeout(() => signalAll(child, 'SIGKILL'), timeoutMs + KILL_MS),
      setTimeout(() => finish(child.exitCode, child.signalCode ?? 'SIGKILL'), timeoutMs + 2 * KILL_MS),
    ];
    const finish = (status: number | null, signal: string | null) => {
      for (const timer of timers) clearTimeout(timer);
      watch?.gone(child);
      for (const stream of child.stdio) stream?.destroy();
      child.unref();
      settle(status, status === null ? signal : null);
    };
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
