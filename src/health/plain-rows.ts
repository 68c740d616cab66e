import type { Facts } from '../instance/facts/facts';
import type { ContainerFacts } from '../instance/facts/stack';
import { ourContainer } from '../instance/plan/containers';
import type { Service } from '../instance/stack/services';
import { PROJECT } from '../instance/stack/stack';
import type { HealthCheck } from './check';

/**
 * Whether the registry is reached without TLS and logins that are asked for: at a port that still speaks plain HTTP, or
 * past the front. No row where neither is asked for.
 */
export function plainRows(facts: Facts, services: readonly Service[]): HealthCheck[] {
  const isTls = services.some(({ probe }) => probe?.scheme === 'https');
  if (!isTls && facts.users.wanted.length === 0) return [];
  const findings = [
    ...plainPorts(facts, services).map((port) => `port ${port} still speaks plain HTTP`),
    ...facts.containers.filter((container) => leadsPast(container, facts)).map(pastTheFront),
  ];
  const name = 'Way past the front';
  if (findings.length > 0) return [{ name, state: 'unhealthy', finding: findings.join('; ') }];
  return [{ name, state: 'healthy', finding: isTls ? 'none, and no port speaks plain HTTP' : 'none' }];
}

function plainPorts({ plain }: Facts, services: readonly Service[]): number[] {
  const ports = services.flatMap(({ name, probe }) =>
    probe === null || !plain.includes(name) ? [] : [probe.port],
  );
  return [...new Set(ports)];
}

/** One of ours that publishes something itself, as before there was a front, or another registry of the same images. */
function leadsPast({ name, project, service, dataSource, published }: ContainerFacts, facts: Facts): boolean {
  if (published.every(isLoopback)) return false;
  const registry = ourContainer(facts, 'registry');
  if (name === ourContainer(facts, 'front')?.name) return false;
  const isOurs = project === PROJECT && service !== 'front';
  return isOurs || (dataSource !== null && dataSource === registry?.dataSource);
}

function pastTheFront({ name, published }: ContainerFacts): string {
  const ports = [...new Set(published.filter((each) => !isLoopback(each)).map(({ port }) => port))];
  return `container ${name} publishes port ${ports.join(', ')} itself, without TLS or a login`;
}

const isLoopback = ({ address }: ContainerFacts['published'][number]) =>
  address.startsWith('127.') || address === '::1';
