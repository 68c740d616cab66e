import type { Health, HealthCheck } from './check';

const ORDER: readonly Health[] = ['healthy', 'degraded', 'unhealthy'];

/** The worst of the rows; healthy without any. */
export function overall(rows: readonly HealthCheck[]): Health {
  const worst = Math.max(0, ...rows.map(({ state }) => ORDER.indexOf(state)));
  return ORDER[worst] ?? 'unhealthy';
}
