import type { Readable } from 'node:stream';
import type { OfferedHostKey } from './host-keys';

/** What a remote command left behind. */
export interface CommandResult {
  /** Exit status; null when the command was ended by a signal. */
  readonly status: number | null;
  readonly signal: string | null;
  /** Standard output, decoded as UTF-8; bounded by `maxOutputBytes`. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** All that the command reads on standard input: script and data. Never put either into the command itself. */
  readonly stdin: string | Buffer | Readable;
  /** Called for each line of standard output as it arrives. */
  readonly onLine?: (line: string) => void;
  /** Called for each line of standard error as it arrives. */
  readonly onErrorLine?: (line: string) => void;
  readonly timeoutMs: number;
  /** More output than this ends the command with an error. Default 4 MiB. */
  readonly maxOutputBytes?: number;
}

/** What it takes to log in again just as a connection did, to the very server that it is to. Holds a secret. */
export interface ProvenLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  /** That the server showed, and the policy of the run accepted. */
  readonly hostKey: OfferedHostKey;
}

/** An authenticated SSH connection to an instance whose host key was verified. */
export interface SshConnection {
  readonly login: ProvenLogin;
  /**
   * Runs a constant command; see RunOptions.stdin. After a connection was lost, the next command is run over a new one.
   *
   * @throws ActionError `SSH connection lost` (as SshConnectionLost), `Remote command timed out`, `Too much remote
   *   output`, and for a new connection those of `connect`; Error after `close`
   */
  run(command: string, options: RunOptions): Promise<CommandResult>;
  /** For good: no command makes a new connection, which would keep the step from ending. */
  close(): void;
}
