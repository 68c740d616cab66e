import type { ContainerFacts, DiskFacts, Facts } from '../instance/facts/facts';
import { PROJECT } from '../instance/stack/stack';
import type { Health, HealthCheck } from './check';

/** A container that was started again this shortly ago is not yet trusted. */
const RECENT_MS = 10 * 60 * 1000;

/** Less than this part of a disk free is worth a warning; less than that, and pushes are about to fail. */
const LOW = 0.15;
const FULL = 0.03;

/** What the facts of an instance say about its health, a row a subject. `now` in milliseconds since the epoch. */
export function instanceRows(facts: Facts, uiWanted: boolean, now: number): HealthCheck[] {
  return [
    dockerRow(facts),
    containerRow(facts, 'registry', 'unhealthy', now),
    apiRow('Registry API', facts.registryStatus, [200, 401], 'unhealthy'),
    ...(uiWanted
      ? [containerRow(facts, 'ui', 'degraded', now), apiRow('Web UI', facts.uiStatus, [200, 401], 'degraded')]
      : []),
    ...facts.disks.map(diskRow),
  ];
}

function dockerRow({ service, engine }: Facts): HealthCheck {
  const name = 'Docker service';
  if (engine !== '' && service.active === 'active') {
    const enabled = service.enabled === 'enabled';
    return {
      name,
      state: enabled ? 'healthy' : 'degraded',
      finding: enabled ? `engine ${engine} answers` : `engine ${engine} answers, but does not start at boot`,
    };
  }
  const state = service.active === '' ? 'is not installed' : `is ${service.active}`;
  return { name, state: 'unhealthy', finding: `docker.service ${state}, and no engine answers` };
}

function containerRow(facts: Facts, service: string, worst: Health, now: number): HealthCheck {
  const name = `Container ${service}`;
  const container = facts.containers.find((each) => each.project === PROJECT && each.service === service);
  if (container === undefined) return { name, state: worst, finding: 'it does not exist' };
  const bad = problemOf(container);
  if (bad !== null) return { name, state: worst, finding: bad };
  const restarted = container.restarts > 0 && now - Date.parse(container.startedAt) < RECENT_MS;
  const restarts = `restarted ${container.restarts} times`;
  if (restarted)
    return { name, state: 'degraded', finding: `running, ${restarts}, last at ${container.startedAt}` };
  return {
    name,
    state: 'healthy',
    finding: `running${container.restarts > 0 ? `, ${restarts}` : ''}, ${container.image}`,
  };
}

function problemOf({ state, health, restarts, exitCode }: ContainerFacts): string | null {
  if (state === 'restarting') return `it keeps restarting: ${restarts} times so far, exit code ${exitCode}`;
  if (state !== 'running') return `it is ${state}, exit code ${exitCode}`;
  return health === 'unhealthy' ? 'it runs, and its health check fails' : null;
}

function apiRow(name: string, status: number | null, good: readonly number[], worst: Health): HealthCheck {
  if (status === null) return { name, state: worst, finding: 'it does not answer on the instance' };
  const state = good.includes(status) ? 'healthy' : worst;
  return { name, state, finding: `it answers ${status} on the instance` };
}

function diskRow({ name, path, size, available, inodes, inodesAvailable }: DiskFacts): HealthCheck {
  const bytes = size > 0 ? available / size : 1;
  // Btrfs and others count no inodes.
  const files = inodes > 0 ? inodesAvailable / inodes : 1;
  const least = Math.min(bytes, files);
  return {
    name: `Disk of ${name}`,
    state: least < FULL ? 'unhealthy' : least < LOW ? 'degraded' : 'healthy',
    finding: `${percent(bytes)} of ${gibibytes(size)} and ${percent(files)} of the inodes free at ${path}`,
  };
}

function percent(part: number): string {
  return `${Math.floor(part * 100)} %`;
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
