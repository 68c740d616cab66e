const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How an instance's clock stands to another, which the sentence then names: `3 days behind`, `2 h ahead of`. */
export function clockSkew(secondsAhead: number): string {
  const seconds = Math.abs(secondsAhead);
  const amount =
    seconds >= 2 * DAY
      ? `${Math.round(seconds / DAY)} days`
      : seconds >= 2 * HOUR
        ? `${Math.round(seconds / HOUR)} h`
        : `${Math.round(seconds / MINUTE)} min`;
  return `${amount} ${secondsAhead < 0 ? 'behind' : 'ahead of'}`;
}
