/** How often, or over what, a loop is run: `short` in `npm test`, `whole` under `npm run soak`. */
export function turns<T>(short: T, whole: T): T {
  return process.env.SOAK ? whole : short;
}
