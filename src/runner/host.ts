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

/** When a process started, in clock ticks since boot; null when there is no such process. */
export async function startOf(host: RunnerHost, pid: number): Promise<string | null> {
  const stat = await host.read(`/proc/${pid}/stat`);
  // proc_pid_stat(5): the command's name, in brackets, can hold anything; the start is the 20th field behind it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
