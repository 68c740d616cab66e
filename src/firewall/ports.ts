import type { ProtocolPorts } from '../google/compute';
import { holdsPort } from './rule-match';

/** The same list with those of the TCP ports that it lacks; the very list where it lacks none. */
export function withPorts(
  allowed: readonly ProtocolPorts[],
  ports: readonly number[],
): readonly ProtocolPorts[] {
  const added = ports.filter((port) => !holdsPort(allowed, port)).map(String);
  if (added.length === 0) return allowed;
  const index = allowed.findIndex(({ protocol }) => protocol === 'tcp');
  if (index < 0) return [...allowed, { protocol: 'tcp', ports: added }];
  return allowed.map((entry, at) => (at === index ? { ...entry, ports: [...entry.ports, ...added] } : entry));
}

/** A list of these TCP ports and nothing else; the very list where it is that already. */
export function exactPorts(
  allowed: readonly ProtocolPorts[],
  ports: readonly number[],
): readonly ProtocolPorts[] {
  const exact = [{ protocol: 'tcp', ports: ports.map(String) }];
  return sameItems(portItems(allowed), portItems(exact)) ? allowed : exact;
}

/** `tcp:5000,18080 icmp` */
export function describePorts(allowed: readonly ProtocolPorts[]): string {
  return allowed
    .map(({ protocol, ports }) => (ports.length === 0 ? protocol : `${protocol}:${ports.join(',')}`))
    .join(' ');
}

/** Each protocol and port by itself, since neither their order nor how they are grouped matters. */
function portItems(allowed: readonly ProtocolPorts[]): string[] {
  return allowed.flatMap(({ protocol, ports }) =>
    ports.length === 0 ? [protocol] : ports.map((port) => `${protocol}:${port}`),
  );
}

function sameItems(left: readonly string[], right: readonly string[]): boolean {
  const [a, b] = [new Set(left), new Set(right)];
  return a.size === b.size && [...a].every((item) => b.has(item));
}
