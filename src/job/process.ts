import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process of this machine, told from a later one that gets the same id. */
export interface ProcessMark {
  readonly pid: number;
  /** In clock ticks since boot; null where the system does not say (it has no /proc). */
  readonly started: string | null;
}

/** When a process started, as /proc/PID/stat says it; null for a process that has ended. */
export function startIn(stat: string): string | null {
  // proc_pid_stat(5): the command's name, in brackets, can hold anything; behind it stand the state and, 20th, the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Nobody may be there to take note of its end, as in a container.
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

/** The mark of a process that runs. */
export function markOf(pid: number): ProcessMark {
  return { pid, started: startOf(pid) };
}

/** Whether a process still runs. */
export function runs({ pid, started }: ProcessMark): boolean {
  return started === null ? answersSignals(pid) : startOf(pid) === started;
}

/**
 * Ends a process, and waits until it is gone: SIGTERM, and then SIGKILL. Nothing is done to another process that has its
 * id, nor where that cannot be told.
 *
 * @returns whether it is gone
 */
export async function endProcess(
  mark: ProcessMark,
  { gentleMs = 3000, hardMs = 2000 } = {},
): Promise<boolean> {
  if (mark.started === null) return !runs(mark);
  for (const [signal, limitMs] of [
    ['SIGTERM', gentleMs],
    ['SIGKILL', hardMs],
  ] as const) {
    if (!runs(mark)) return true;
    sendSignal(mark.pid, signal);
    for (const end = Date.now() + limitMs; Date.now() < end; await delay(POLL_MS)) {
      if (!runs(mark)) return true;
    }
  }
  return !runs(mark);
}

const POLL_MS = 20;

function startOf(pid: number): string | null {
  try {
    return startIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
