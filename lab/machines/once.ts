const running = new Map<string, Promise<unknown>>();

/** Does the work named `key` once in this process, however many ask for it at the same time or later. */
export function once<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = running.get(key) as Promise<T> | undefined;
  if (before !== undefined) return before;
  const now = work();
  running.set(key, now);
  return now;
}
