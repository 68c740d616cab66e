import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

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
  /** All that the command reads on standard input; nothing without it. */
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

/**
 * Commands on this machine, by node:child_process rather than @actions/exec, which has neither a time limit nor a
 * bound on what it keeps.
 */
export function localExec(environment: NodeJS.ProcessEnv): Exec {
  const env = childEnvironment(environment);
  return (command, args, options) =>
    new Promise((resolve) => {
      const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
      const keep = options.keepBytes ?? 4 * 1024 * 1024;
      const out = new Tail(keep, options.onLine);
      const err = new Tail(keep, options.onLine);
      let kill: NodeJS.Timeout | undefined;
      const timer = setTimeout(() => {
        child.kill('SIGTERM');
        kill = setTimeout(() => child.kill('SIGKILL'), 2000);
      }, options.timeoutMs);
      const settle = (status: number | null, signal: string | null) => {
        clearTimeout(timer);
        clearTimeout(kill);
        resolve({ status, signal, stdout: out.end(), stderr: err.end() });
      };
      child.stdout.on('data', (chunk: Buffer) => out.add(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.add(chunk));
      child.on('error', (error: NodeJS.ErrnoException) => settle(null, error.code ?? error.message));
      child.on('close', settle);
      // A command that ends before it has read everything closes the pipe: its status says enough.
      child.stdin.on('error', () => {});
      child.stdin.end(options.stdin ?? '');
    });
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
