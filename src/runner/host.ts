import { readdir, readFile } from 'node:fs/promises';
import type { Exec } from '../job/exec';

/** The machine that the job runs on, as far as its Docker daemon goes. */
export interface RunnerHost {
  /** `linux`, `darwin`, `win32`. */
  readonly platform: string;
  readonly isRoot: boolean;
  /** The process that started this one: on GitHub the runner's worker, which lives as long as the job. */
  readonly parentPid: number;
  /** Directory of Docker's client configuration: `~/.docker`. */
  readonly dockerConfig: string;
  readonly exec: Exec;
  /** Content of a small text file; null when it cannot be read. */
  read(path: string): Promise<string | null>;
  /** Names in a directory; empty when it cannot be read. */
  list(path: string): Promise<readonly string[]>;
}

/** This machine. `dockerConfig` is DOCKER_CONFIG, or `.docker` in the user's home. */
export function localHost(exec: Exec, dockerConfig: string): RunnerHost {
  return {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    parentPid: process.ppid,
    dockerConfig,
    exec,
    read: (path) => readFile(path, 'utf8').catch(() => null),
    list: (path) => readdir(path).catch(() => []),
  };
}

/** The dockerd process of this machine. */
export interface DaemonProcess {
  readonly pid: number;
  /** Its configuration file. */
  readonly configFile: string;
  /** It was started with `--insecure-registry`, which conflicts with the key in the file. */
  readonly hasRegistryFlag: boolean;
}

const DEFAULT_CONFIG = '/etc/docker/daemon.json';

/**
 * Finds dockerd: by its PID file, else among the processes. Null when it is not on this machine, or not to be seen
 * from here (a container job with the daemon's socket in it).
 */
export async function findDaemon(host: RunnerHost): Promise<DaemonProcess | null> {
  const listed = Number((await host.read('/run/docker.pid'))?.trim());
  const processes = (await host.list('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const candidates = processes.includes(listed) ? [listed, ...processes] : processes;
  for (const pid of candidates) {
    if ((await host.read(`/proc/${pid}/comm`))?.trim() !== 'dockerd') continue;
    const words = ((await host.read(`/proc/${pid}/cmdline`)) ?? '').split('\0');
    return {
      pid,
      configFile: flagOf(words, 'config-file') ?? DEFAULT_CONFIG,
      hasRegistryFlag: flagOf(words, 'insecure-registry') !== null,
    };
  }
  return null;
}

/** The value of a flag, given as `--name=value` or `--name value`. */
function flagOf(words: readonly string[], name: string): string | null {
  const index = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  if (index < 0) return null;
  const word = words[index] ?? '';
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : (words[index + 1] ?? '');
}

/** When a process started, in clock ticks since boot; null when there is no such process. */
export async function startOf(host: RunnerHost, pid: number): Promise<string | null> {
  const stat = await host.read(`/proc/${pid}/stat`);
  // proc_pid_stat(5): the command's name, in brackets, can hold anything; the start is the 20th field behind it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
