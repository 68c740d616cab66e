import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { exec as toolkitExec } from '@actions/exec';

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
  /** After this the command is ended: SIGTERM, and SIGKILL 2 s later. */
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
  const changing = new Map<number, Promise<unknown>>();
  let ended = false;
  return {
    exec(command, args, options) {
      if (ended) return new Promise(() => {});
      const keep = options.keepBytes ?? 4 * 1024 * 1024;
      const streams = { out: new Tail(keep, options.onLine), err: new Tail(keep, options.onLine) };
      if (options.stdin === undefined) return runPlain(env, [command, ...args], options.timeoutMs, streams);
      return runWithInput(env, [command, ...args], options.timeoutMs, streams, options.stdin, changing);
    },
    end() {
      ended = true;
      for (const pid of children()) if (!changing.has(pid)) terminate(pid);
      return Promise.all(changing.values());
    },
  };
}

/** The processes that this one has started, as far as the system tells. @actions/exec does not hand them out. */
function children(): number[] {
  try {
    const list = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
    return list.split(' ').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
  }
}

interface Streams {
  readonly out: Tail;
  readonly err: Tail;
}

/**
 * By @actions/exec, which has no time limit: coreutils' `timeout` is it. 124 and 137 are its statuses for a command
 * that was ended, 127 that of one that is not there.
 */
async function runPlain(
  env: NodeJS.ProcessEnv,
  command: readonly string[],
  timeoutMs: number,
  { out, err }: Streams,
): Promise<ExecResult> {
  const limit = ['--kill-after=2', String(timeoutMs / 1000)];
  const status = await toolkitExec('timeout', [...limit, ...command], {
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    silent: true,
    ignoreReturnCode: true,
    listeners: { stdout: (chunk) => out.add(chunk), stderr: (chunk) => err.add(chunk) },
  });
  const [stdout, stderr] = [out.end(), err.end()];
  const missing = status === 127 && /^\S*timeout: /.test(stderr);
  const signal = missing ? 'ENOENT' : status === 124 ? 'SIGTERM' : status === 137 ? 'SIGKILL' : null;
  return { status: signal === null ? status : null, signal, stdout, stderr };
}

/**
 * By node:child_process: @actions/exec does not expect that a command may end before it has read its input, and the
 * broken pipe would end this process.
 */
function runWithInput(
  env: NodeJS.ProcessEnv,
  [command = '', ...args]: readonly string[],
  timeoutMs: number,
  { out, err }: Streams,
  stdin: string | Buffer,
  running: Map<number, Promise<unknown>>,
): Promise<ExecResult> {
  let pid = 0;
  const result = new Promise<ExecResult>((resolve) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let kill: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      child.kill('SIGTERM');
      kill = setTimeout(() => child.kill('SIGKILL'), 2000);
    }, timeoutMs);
    const settle = (status: number | null, signal: string | null) => {
      clearTimeout(timer);
      clearTimeout(kill);
      resolve({ status, signal, stdout: out.end(), stderr: err.end() });
    };
    child.stdout.on('data', (chunk: Buffer) => out.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.add(chunk));
    child.on('error', (error: NodeJS.ErrnoException) => settle(null, error.code ?? error.message));
    child.on('close', settle);
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    pid = child.pid ?? 0;
  });
  running.set(pid, result);
  return result.finally(() => running.delete(pid));
}

/** Keeps the end of a stream, and hands out its lines. */
class Tail {
  private readonly decoder = new StringDecoder('utf8');
  private text = '';
  private line = '';

  constructor(
    private readonly keep: number,
    private readonly onLine: ((line: string) => void) | undefined,
  ) {}

  add(chunk: Buffer): void {
    const text = this.decoder.write(chunk);
    this.text = `${this.text}${text}`.slice(-this.keep);
    if (this.onLine === undefined) return;
    const lines = `${this.line}${text}`.split('\n');
    // One endless line must not grow without bound.
    this.line = (lines.pop() ?? '').slice(-this.keep);
    for (const line of lines) this.onLine(line.replace(/\r$/, ''));
  }

  end(): string {
    if (this.line !== '') this.onLine?.(this.line);
    this.line = '';
    return this.text + this.decoder.end();
  }
}
