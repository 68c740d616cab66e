import type { Change } from './change';

/** A change in one line: `rule web-1-registry: tcp:18080 → tcp:5000,18080, because the registry needs port 5000`. */
export function describeChange({ what, from, to, why }: Change): string {
  if (from === null) return `add ${what}${to === null || to === '' ? '' : `: ${to}`}, because ${why}`;
  if (to === null) return `remove ${what}${from === '' ? '' : `: ${from}`}, because ${why}`;
  return `${what}: ${from} → ${to}, because ${why}`;
}
