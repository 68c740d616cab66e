import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Client, ClientChannel } from 'ssh2';
import { ActionError } from '../values/errors';
import type { CommandResult, RunOptions } from './connection';

const DEFAULT_MAX_OUTPUT = 4 * 1024 * 1024;

/**
 * Runs one command in a channel of its own, bounded in time and output.
 *
 * @param host for messages
 * @throws ActionError `SSH connection lost`, `Remote command timed out`, `Too much remote output`
 */
export function runCommand(
  client: Client,
  host: string,
  command: string,
  options: RunOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let channel: ClientChannel | null = null;
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      client.removeListener('close', lost);
      client.removeListener('error', lost);
      settle();
    };
    const fail = (error: ActionError) =>
      finish(() => {
        channel?.close();
        reject(error);
      });
    const lost = (cause?: unknown) => fail(new SshConnectionLost(host, cause));
    const timer = setTimeout(() => fail(timedOut(host, options.timeoutMs)), options.timeoutMs);
    client.once('close', lost);
    client.once('error', lost);

    const open = (error: Error | undefined, opened: ClientChannel) => {
      if (error !== undefined) return lost(error);
      channel = opened;
      collect(opened, host, options, {
        done: (result) => finish(() => resolve(result)),
        fail,
      });
    };
    try {
      client.exec(command, open);
    } catch (error) {
      lost(error);
    }
  });
}

interface Ending {
  readonly done: (result: CommandResult) => void;
  readonly fail: (error: ActionError) => void;
}

function collect(channel: ClientChannel, host: string, options: RunOptions, ending: Ending): void {
  const max = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT;
  let size = 0;
  const within = (chunk: Buffer) => {
    size += chunk.length;
    if (size > max) ending.fail(tooMuchOutput(host, max));
    return size <= max;
  };
  const stdout = new OutputReader(options.onLine);
  const stderr = new OutputReader(options.onErrorLine);
  channel.on('data', (chunk: Buffer) => {
    if (within(chunk)) stdout.push(chunk);
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    if (within(chunk)) stderr.push(chunk);
  });

  let exit: { status: number | null; signal: string | null } | null = null;
  channel.on('exit', (status: number | null, signal?: string) => {
    exit = { status: status ?? null, signal: signal ?? null };
  });
  channel.on('error', () => {
    // A remote end that stops reading its input shows in the exit status, or in the loss of the connection.
  });
  channel.on('close', () => {
    if (exit === null) return ending.fail(new SshConnectionLost(host, undefined));
    ending.done({ ...exit, stdout: stdout.end(), stderr: stderr.end() });
  });
  send(channel, options.stdin, (error) => ending.fail(inputFailed(host, error)));
}

function send(channel: ClientChannel, input: RunOptions['stdin'], fail: (error: Error) => void): void {
  if (!(input instanceof Readable)) {
    channel.end(input);
    return;
  }
  input.on('error', fail);
  channel.once('close', () => input.destroy());
  input.pipe(channel);
}

/** Keeps a stream's text, and hands on its lines as they are completed. */
class OutputReader {
  private readonly decoder = new StringDecoder('utf8');
  private readonly parts: string[] = [];
  private rest = '';
  private readonly onLine: ((line: string) => void) | undefined;

  constructor(onLine: ((line: string) => void) | undefined) {
    this.onLine = onLine;
  }

  push(chunk: Buffer): void {
    const text = this.decoder.write(chunk);
    this.parts.push(text);
    if (this.onLine === undefined) return;
    const lines = text.split('\n');
    lines[0] = this.rest + lines[0];
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.onLine(line);
  }

  end(): string {
    this.parts.push(this.decoder.end());
    if (this.rest !== '') this.onLine?.(this.rest);
    this.rest = '';
    return this.parts.join('');
  }
}

/** The connection ended before the command did, which may go on without it. */
export class SshConnectionLost extends ActionError {
  constructor(host: string, cause: unknown) {
    const detail = cause instanceof Error ? ` (${cause.message})` : '';
    super(
      'SSH connection lost',
      {
        doing: `running a command on ${host}`,
        happened: `the connection ended before the command did${detail}`,
        next: 'Check that the instance is running and is not being restarted, then run again: what was done is kept, and the rest is done then',
      },
      { cause },
    );
  }
}

function timedOut(host: string, timeoutMs: number): ActionError {
  return new ActionError('Remote command timed out', {
    doing: `running a command on ${host}`,
    happened: `it did not end within ${Math.round(timeoutMs / 1000)} s`,
    next: 'Look at the load of the instance and at what the log shows last, then run again',
  });
}

function tooMuchOutput(host: string, max: number): ActionError {
  return new ActionError('Too much remote output', {
    doing: `running a command on ${host}`,
    happened: `it printed more than ${max} bytes`,
    next: 'Check what the login shell of ssh-user prints on the instance (.bashrc, .profile, /etc/bash.bashrc)',
  });
}

function inputFailed(host: string, cause: Error): ActionError {
  return new ActionError(
    'SSH input failed',
    {
      doing: `sending data to ${host}`,
      happened: cause.message,
      next: 'Run again',
    },
    { cause },
  );
}
