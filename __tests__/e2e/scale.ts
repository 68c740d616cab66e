/** How often a loop is run: `short` in `npm test`, `whole` under `npm run soak`. */
export function turns(short: number, whole: number): number {
  return process.env.SOAK ? whole : short;
}
