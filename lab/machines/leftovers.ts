import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bridgeOf, LABS } from '../number.ts';
import { attempt, eventually, isAlive } from './process.ts';

const CGROUPS = '/sys/fs/cgroup';

/**
 * A killed engine leaves its containerd, shims, containers, sockets and bridges. To be called only while no engine
 * answers; `execRoot` is what it was started with.
 */
export async function clearLeftovers(execRoot: string): Promise<void> {
  const containers = leftContainers(execRoot);
  await endProcesses((pid) => isAlive(pid, execRoot) || containers.some((id) => isIn(pid, id)));
  await detachMounts(execRoot);
  for (const id of containers) removeCgroups(id);
  rmSync(execRoot, { recursive: true, force: true });
  for (const link of [...LABS.map(bridgeOf), 'docker0']) await attempt('ip', ['link', 'delete', link]);
}

/** Ids of the containers that the engine's runtime knows. */
function leftContainers(execRoot: string): string[] {
  const folder = `${execRoot}/runtime-runc/moby`;
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Kills the processes of this sort, again until there is none: they may make new ones. */
async function endProcesses(isOfSort: (pid: number) => boolean): Promise<void> {
  const left = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid && isOfSort(pid));
  await eventually(() => {
    const pids = left();
    for (const pid of pids) kill(pid);
    return pids.length === 0;
  }, 20_000);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Whether a process is in a control group of this container. */
function isIn(pid: number, id: string): boolean {
  try {
    return isAlive(pid, '') && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id);
  } catch {
    return false;
  }
}

/** Removes a container's control groups, innermost first: it could not be started again in ones that have children. */
function removeCgroups(id: string): void {
  const folders = readdirSync(CGROUPS, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes(id));
  for (const path of folders.sort((a, b) => b.length - a.length)) {
    try {
      rmdirSync(path);
    } catch {
      // It has gone with its last process.
    }
  }
}

async function detachMounts(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) await attempt('umount', ['--lazy', path]);
}
