/** Values of one side, one for each round. */
export type Samples = readonly number[];

export function median(values: Samples): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (at(sorted, Math.ceil(middle) - 1) + at(sorted, Math.floor(middle))) / 2;
}

function at(values: Samples, index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error('nothing was measured');
  return value;
}

/**
 * Median of the ratios of each round: what slows the machine down for a while hits both sides of a round.
 *
 * @param over what was measured beside `under`, in the same rounds
 */
export function ratio(over: Samples, under: Samples): number {
  return median(over.map((value, round) => value / at(under, round)));
}

/**
 * Measures the sides next to each other, once a round each; every other round goes the other way round, so that none
 * profits from coming after another.
 */
export async function sideBySide<Side extends string>(
  rounds: number,
  sides: Readonly<Record<Side, (round: number) => Promise<number>>>,
): Promise<Record<Side, number[]>> {
  const names = Object.keys(sides) as Side[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Side, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const value = await sides[name](round);
      samples[name].push(value);
      process.stderr.write(`  round ${round + 1}, ${name}: ${value.toFixed(3)} s\n`);
    }
  }
  return samples;
}
