/**
 * Does several things, `lanes` of them at a time, in order. Returns the promise of each, whose failure waits for
 * whoever asks for it.
 */
export function inLanes<T>(works: readonly (() => Promise<T>)[], lanes = 3): Promise<T>[] {
  const ends: Promise<unknown>[] = [];
  return works.map((work, index) => {
    const done = (ends[index % lanes] ?? Promise.resolve()).then(work);
    ends[index % lanes] = done.catch(() => undefined);
    return done;
  });
}
