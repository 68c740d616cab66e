const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds of a duration such as `30d`, `12h`, `10m`, `30s` or `2w`; null: it is none. */
export function parseDuration(text: string): number | null {
  const [, count, unit = ''] = /^(\d{1,5})([smhdw])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * (SECONDS[unit] ?? 0);
}
