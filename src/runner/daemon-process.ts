import type { RunnerHost } from './host';
import { rootScript } from './root-script';

/** A dockerd process of this machine. */
export interface DaemonProcess {
  readonly pid: number;
  /** In clock ticks since boot: another process may get the same id later. */
  readonly started: string;
  /** Its configuration file. */
  readonly configFile: string;
  /** Keys of that file that it was given as flags: it refuses a file that has one of them. */
  readonly flags: readonly ('hosts' | 'insecure-registries')[];
}

/** Who listens on a socket. */
export type Listener =
  | { readonly kind: 'daemon'; readonly daemon: DaemonProcess }
  /** Nobody who is to be seen from here: another machine, or the job runs in a container that has the socket. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'no-permission' }
  /** A forwarder, a virtual machine, Podman: their names. */
  | { readonly kind: 'others'; readonly names: readonly string[] }
  | { readonly kind: 'several' };

const DEFAULT_CONFIG = '/etc/docker/daemon.json';

/**
 * The daemon that listens on a Unix socket, and no other one of this machine: told by the socket that its process has
 * open, which only root sees.
 */
export async function findListener(host: RunnerHost, socket: string): Promise<Listener> {
  if (!(await someDaemonRuns(host))) return { kind: 'nobody' };
  const { status, stdout } = await rootScript(host, ['find', socket]);
  if (status !== 0) return { kind: 'no-permission' };
  const lines = stdout.split('\n').map((line) => /^(\d+) (\d+) (\S+) (.+)$/.exec(line));
  const listeners = lines.filter((line) => line !== null).map(([, ...parts]) => parts as unknown as Parts);
  const daemons = listeners.filter(([, , , name]) => name === 'dockerd');
  const [first] = daemons;
  if (daemons.length > 1) return { kind: 'several' };
  if (first !== undefined) return { kind: 'daemon', daemon: processOf(first) };
  if (listeners.length === 0) return { kind: 'nobody' };
  return { kind: 'others', names: [...new Set(listeners.map(([, , , name]) => name))] };
}

/** Process id, start, command line in base64, name. */
type Parts = readonly [string, string, string, string];

/** Everybody sees the names of processes; without such a one there is no need of root. */
async function someDaemonRuns(host: RunnerHost): Promise<boolean> {
  const pids = (await host.list('/proc')).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(pids.map((pid) => host.read(`/proc/${pid}/comm`)));
  return names.some((name) => name?.trim() === 'dockerd');
}

function processOf([pid, started, commandLine]: Parts): DaemonProcess {
  const words = Buffer.from(commandLine, 'base64').toString('utf8').split('\0');
  const has = (...names: string[]) =>
    words.some((word) => names.some((name) => word === name || word.startsWith(`${name}=`)));
  // pflag takes a value beside the short form, too: -H=fd://, -Hfd://, -H fd://.
  const hosts = has('--host') || words.some((word) => /^-H/.test(word));
  return {
    pid: Number(pid),
    started,
    configFile: flagOf(words, 'config-file') ?? DEFAULT_CONFIG,
    flags: [
      ...(hosts ? (['hosts'] as const) : []),
      ...(has('--insecure-registry') ? (['insecure-registries'] as const) : []),
    ],
  };
}

/** The value of a flag, given as `--name=value` or `--name value`. */
function flagOf(words: readonly string[], name: string): string | null {
  const index = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  if (index < 0) return null;
  const word = words[index] ?? '';
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : (words[index + 1] ?? '');
}
