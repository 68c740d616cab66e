import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecResult } from '../job/exec';
import { ActionError } from '../values/errors';
import { lastLine } from '../values/show';
import type { DaemonProcess, RunnerHost } from './host';
import { type Files, fingerprint, parseLedger } from './ledger';

/** What this action keeps about daemon.json lies here, until the machine restarts; see daemon-file.sh. */
export const STORE = '/run/gce-registry-action';

/** daemon.json and the ledger, read together. */
export interface FilesOnDisk extends Files {
  /** The ledger's exact text, for the comparison when it is replaced. */
  readonly ledgerText: string | null;
  readonly directoryExists: boolean;
}

/** Changes of the daemon's configuration file, which belongs to root. */
export interface DaemonFiles {
  /** Null: neither root nor sudo without a password. */
  read(): Promise<FilesOnDisk | null>;
  /**
   * Replaces both files, if they are still as they were read, and lets the daemon load its file again. False when
   * somebody changed them meanwhile; nothing is written then.
   */
  swap(from: FilesOnDisk, to: Files, options: { reload: boolean }): Promise<boolean>;
  /** Restarts the daemon. Throws when its configuration is not valid, so that it would not come back. */
  restart(): Promise<void>;
}

/** Read at build time: the bundle carries the script beside it. */
const SCRIPT = readFileSync(join(__dirname, 'daemon-file.sh'), 'utf8');
const TIMEOUT_MS = 90_000;
/** Statuses of daemon-file.sh. */
const CHANGED = 10;
const NOT_VALID = 11;
const NO_SYSTEMD = 12;

/** A restart that was not tried, for a reason that the message names. */
export class NoRestart extends Error {}

/** The files of one daemon, through daemon-file.sh, with sudo where this process is not root. */
export function daemonFiles(host: RunnerHost, daemon: DaemonProcess): DaemonFiles {
  const run = (args: readonly string[], stdin = ''): Promise<ExecResult> => {
    const command = ['sh', '-c', SCRIPT, 'daemon-file.sh', ...args];
    const [first = '', ...rest] = host.isRoot ? command : ['sudo', '-n', ...command];
    return host.exec(first, rest, { stdin, timeoutMs: TIMEOUT_MS, keepBytes: 16 * 1024 * 1024 });
  };
  const { configFile, pid } = daemon;

  return {
    async read() {
      const result = await run(['read', configFile]);
      const lines = result.stdout.split('\n');
      if (result.status !== 0 || lines.length !== 4) return null;
      const [file, ledger, directory] = lines.map((line) => (line === '-' ? null : line));
      const ledgerText = ledger == null ? null : Buffer.from(ledger, 'base64').toString('utf8');
      return {
        file: file == null ? null : Buffer.from(file, 'base64'),
        ledger: ledgerText === null ? null : parseLedger(ledgerText),
        ledgerText,
        directoryExists: directory !== null,
      };
    },

    async swap(from, to, { reload }) {
      const removeDirectory = to.file === null && (from.ledger?.madeDirectory ?? false);
      const stdin = [
        fingerprint(from.file),
        fingerprint(from.ledgerText === null ? null : Buffer.from(from.ledgerText)),
        to.file?.toString('base64') ?? '-',
        to.ledger === null ? '-' : Buffer.from(JSON.stringify(to.ledger)).toString('base64'),
        '',
      ].join('\n');
      const args = ['swap', configFile, String(pid), reload ? 'reload' : 'keep'];
      const result = await run(removeDirectory ? [...args, 'rmdir'] : args, stdin);
      if (result.status === CHANGED) return false;
      if (result.status !== 0) throw failed(`writing ${configFile}`, result);
      return true;
    },

    async restart() {
      const result = await run(['restart', configFile, String(pid)]);
      if (result.status === NOT_VALID)
        throw new NoRestart('dockerd says that its configuration is not valid');
      if (result.status === NO_SYSTEMD) throw new NoRestart('the daemon does not run under systemd');
      if (result.status !== 0) throw failed('restarting the Docker daemon', result);
    },
  };
}

function failed(doing: string, result: ExecResult): ActionError {
  return new ActionError('Runner daemon not configured', {
    doing,
    happened: lastLine(result.stderr) || `the command ended with ${result.status ?? result.signal}`,
    next: 'Look at `journalctl --unit docker` on this runner, or set `configure-runner: false` and configure it by hand',
  });
}
