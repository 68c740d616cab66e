/** Says on standard error what the lab does, and how long each part took. */
export async function phase<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  process.stderr.write(`lab: ${what} …\n`);
  const result = await work();
  process.stderr.write(`lab: ${what}: done in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return result;
}

/** One line that is no phase: where something is taken from, what is kept. */
export function say(line: string): void {
  process.stderr.write(`lab: ${line}\n`);
}
