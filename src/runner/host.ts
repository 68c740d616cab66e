import { readdir, readFile } from 'node:fs/promises';
import type { Exec } from '../job/exec';
import { startIn } from '../job/process';

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
  return stat === null ? null : startIn(stat);
}

/** The process that lives as long as the job; null where there is none to be seen, as in a container. */
export async function jobProcess(
  host: RunnerHost,
): Promise<{ readonly pid: number; readonly started: string } | null> {
  const started = host.parentPid > 1 ? await startOf(host, host.parentPid) : null;
  return started === null ? null : { pid: host.parentPid, started };
}
