import type { ExecResult } from '../job/exec';
import { ActionError } from '../values/errors';
import { lastLine } from '../values/show';
import type { DaemonProcess } from './daemon-process';
import type { RunnerHost } from './host';
import { rootScript } from './root-script';
import { type Files, fingerprint, parseRecord } from './shared-use';

/** What this action keeps about daemon.json lies here, until the machine restarts; see daemon-file.sh. */
const STORE = '/run/gce-registry-action';

/** Whether some run has changed the configuration of a daemon of this machine, and has not put it back yet. */
export async function someRecordExists(host: RunnerHost): Promise<boolean> {
  return (await host.list(STORE)).some((name) => name.endsWith('.record'));
}

/** daemon.json and the record of its use, read together. */
export interface FilesOnDisk extends Files {
  /** The record's exact text, for the comparison when it is replaced. */
  readonly recordText: string | null;
  readonly directoryExists: boolean;
  /** Why the file cannot be written: `Read-only file system`. Null: it can. */
  readonly obstacle: string | null;
  /** Why dockerd refuses the file, in its own words, the flags it runs with taken into account. Null: it does not. */
  readonly refusal: string | null;
  /** The daemon sees another file under this name: it runs in a container. */
  readonly elsewhere: boolean;
  /** The file is as it was when the daemon started. */
  readonly asLoaded: boolean;
}

/** How a restart ended that did not bring the daemon back, or was not tried. */
export type NoRestart =
  /** It was not tried, for this reason. */
  | { readonly kind: 'not-tried'; readonly reason: string }
  /** It was tried, and the daemon did not come back. */
  | { readonly kind: 'dead'; readonly unit: string };

/** Changes of a daemon's configuration file, which belongs to root. */
export interface DaemonFiles {
  /**
   * Null: neither root nor sudo without a password.
   *
   * @param options.judge the daemon is asked whether it refuses its file, which takes a tenth of a second
   */
  read(options?: { readonly judge: boolean }): Promise<FilesOnDisk | null>;
  /**
   * Replaces both files, if they are still as they were read, and lets the daemon load its file again. Null when
   * somebody changed them meanwhile: nothing is written then. `told` is false where the daemon is gone.
   *
   * @throws ActionError `Runner daemon not configured`
   */
  swap(
    from: FilesOnDisk,
    to: Files,
    options: { reload: boolean },
  ): Promise<{ readonly told: boolean } | null>;
  /**
   * Restarts the daemon. Null: it is back.
   *
   * @param isKnownToBeGood the file is what the daemon has started with before, but for a registry that was added
   */
  restart(isKnownToBeGood: boolean): Promise<NoRestart | null>;
  /** Starts the daemon of a unit that a restart has left dead; false when it does not start. */
  start(unit: string): Promise<boolean>;
}

/** The files of one daemon; null: one that does not run. */
export function daemonFiles(
  host: RunnerHost,
  configFile: string,
  daemon: Pick<DaemonProcess, 'pid' | 'started'> | null,
): DaemonFiles {
  const { pid, started } = daemon ?? { pid: 0, started: '0' };
  return {
    async read({ judge } = { judge: true }) {
      const result = await rootScript(host, ['read', configFile, String(pid), judge ? 'judge' : 'look']);
      return result.status === 0 ? parseFiles(result.stdout) : null;
    },

    async swap(from, to, { reload }) {
      const removeDirectory = to.file === null && (from.record?.madeDirectory ?? false);
      const stdin = [
        fingerprint(from.file),
        fingerprint(from.recordText === null ? null : Buffer.from(from.recordText)),
        to.file?.toString('base64') ?? '-',
        to.record === null ? '-' : Buffer.from(JSON.stringify(to.record)).toString('base64'),
        '',
      ].join('\n');
      const args = ['swap', configFile, String(pid), started, reload ? 'reload' : 'keep'];
      const result = await rootScript(host, removeDirectory ? [...args, 'rmdir'] : args, stdin);
      if (result.status === SOMEBODY_WAS_FASTER) return null;
      if (result.status !== 0) throw notWritten(configFile, result);
      return { told: result.stdout.trim() === 'told' };
    },

    async restart(isKnownToBeGood) {
      const checked = isKnownToBeGood ? 'checked' : 'unchecked';
      const result = await rootScript(host, ['restart', configFile, String(pid), checked]);
      const reason = NOT_TRIED[result.status ?? 0]?.(lastLine(result.stderr));
      if (reason !== undefined) return { kind: 'not-tried', reason };
      return result.status === 0 ? null : { kind: 'dead', unit: result.stdout.trim() || 'docker.service' };
    },

    async start(unit) {
      return (await rootScript(host, ['start', unit])).status === 0;
    },
  };
}

/** Statuses of daemon-file.sh. */
const SOMEBODY_WAS_FASTER = 10;
const NOT_TRIED: Readonly<Record<number, (said: string) => string>> = {
  1: (said) => said || 'root is needed for it',
  11: (said) => said || 'this version of dockerd cannot tell beforehand whether it would start with its file',
  12: () => 'no service of systemd runs it',
  13: () => 'its service would start it with another command than the one that runs now',
};

function parseFiles(text: string): FilesOnDisk | null {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z]+) ?(.*)$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, value ?? '');
  }
  if (!values.has('end')) return null;
  const bytes = (name: string) => {
    const value = values.get(name);
    return value === undefined || value === '-' ? null : Buffer.from(value, 'base64');
  };
  const recordText = bytes('record')?.toString('utf8') ?? null;
  return {
    file: bytes('file'),
    record: recordText === null ? null : parseRecord(recordText),
    recordText,
    directoryExists: values.get('directory') === 'yes',
    obstacle: values.get('obstacle') ?? null,
    refusal: values.get('invalid') ?? null,
    elsewhere: values.has('elsewhere'),
    asLoaded: values.has('loaded'),
  };
}

function notWritten(configFile: string, result: ExecResult): ActionError {
  return new ActionError('Runner daemon not configured', {
    doing: `writing ${configFile}`,
    happened: lastLine(result.stderr) || `the command ended with ${result.status ?? result.signal}`,
    next: 'Mend what the message says, or set `configure-runner: false` and configure the daemon by hand',
  });
}
