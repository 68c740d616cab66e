import type { Facts } from '../instance/facts/facts';
import { ourContainer } from '../instance/plan/containers';
import { CHALLENGE_PORT } from '../values/challenge-port';

/**
 * Ports on which the front serves others now, and is not to. Those who use them are not locked out before the front
 * serves them elsewhere.
 */
export function portsLeaving(facts: Facts, wanted: readonly number[]): number[] {
  const published = ourContainer(facts, 'front')?.published ?? [];
  const ports = published.filter(({ address }) => !address.startsWith('127.')).map(({ port }) => port);
  return [...new Set(ports)].filter((port) => !wanted.includes(port) && port !== CHALLENGE_PORT);
}
