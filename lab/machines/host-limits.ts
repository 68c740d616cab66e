import { readFileSync, writeFileSync } from 'node:fs';

/** Watches that a user may open; each machine's systemd takes seven, and the kernel counts them all as root's. */
const FILE = '/proc/sys/fs/inotify/max_user_instances';
/** Of a hundred machines, and the rest of the host. */
const WANTED = 1024;

/** Raises what many machines under systemd would use up; returns the value of before, null where it was enough. */
export function raiseLimits(): string | null {
  const before = readFileSync(FILE, 'utf8').trim();
  if (Number(before) >= WANTED) return null;
  writeFileSync(FILE, String(WANTED));
  return before;
}

/** Puts the value of before back. */
export function restoreLimits(before: string): void {
  writeFileSync(FILE, before);
}
