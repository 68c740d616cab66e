/**
 * Waits for all of them, and then throws what the first one threw. Unlike with Promise.all nothing goes on in the
 * background after an error.
 */
export async function waitForAll<T extends readonly unknown[]>(
  work: {
    readonly [Index in keyof T]: Promise<T[Index]>;
  },
): Promise<T> {
  await Promise.allSettled(work);
  return Promise.all(work) as unknown as Promise<T>;
}
