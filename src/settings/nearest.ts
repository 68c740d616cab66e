/**
 * The name that is nearest to what somebody wrote, by the number of letters to change; case, hyphens and underscores do
 * not count. Of a long text the beginning is compared.
 */
export function nearest<T extends string>(written: string, names: readonly T[]): T | undefined {
  const start = bare(written.slice(0, 64));
  const ranked = names.map((name) => ({ name, steps: distance(start, bare(name)) }));
  return ranked.sort((a, b) => a.steps - b.steps)[0]?.name;
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[-_\s.]/g, '');
}

/** Levenshtein's. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...left].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= right.length; j++) {
      const change = letter === right[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
