import type { DiskFacts, Facts } from '../instance/facts/facts';
import type { ContainerFacts } from '../instance/facts/stack';
import { ourContainer } from '../instance/plan/containers';
import { type Room, roomOf } from '../instance/plan/disk-space';
import type { Service } from '../instance/stack/services';
import type { Health, HealthCheck } from './check';

/** A container that was started again this shortly ago is not yet trusted. */
const RECENT_MS = 10 * 60 * 1000;

const DAY_MS = 24 * 60 * 60 * 1000;
/** Registry 3 and the images that it is built from had fixes of security several times in such a time. */
const OLD_DAYS = 180;

/**
 * What the facts of an instance say about its health, a row a subject.
 *
 * @param now in milliseconds since the epoch
 * @param savings what would free room on the disk of the data; empty: there is enough
 */
export function instanceRows(
  facts: Facts,
  services: readonly Service[],
  now: number,
  savings = '',
): HealthCheck[] {
  return [
    dockerRow(facts),
    ...services.flatMap((service) => [
      containerRow(facts, service, now),
      ...probeRows(facts, service),
      ...imageRows(facts, service, now),
    ]),
    ...facts.disks.map((disk) => diskRow(disk, disk.name === 'data' ? savings : '')),
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

function containerRow(facts: Facts, { name: service, severity }: Service, now: number): HealthCheck {
  const name = `Container ${service}`;
  const container = ourContainer(facts, service);
  if (container === undefined) return { name, state: severity, finding: 'it does not exist' };
  const bad = problemOf(container);
  if (bad !== null) return { name, state: severity, finding: bad };
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

function probeRows(facts: Facts, { name, probe, severity }: Service): HealthCheck[] {
  if (probe === null) return [];
  const status = facts.probes.get(name) ?? null;
  if (status === null)
    return [{ name: probe.title, state: severity, finding: 'it does not answer on the instance' }];
  const state = probe.good.includes(status) ? 'healthy' : severity;
  return [{ name: probe.title, state, finding: `it answers ${status} on the instance` }];
}

/**
 * How old the image of a service is. An image is never pulled again by itself, so what was fixed since is missing; that
 * is worth a word of the health check for those that everything depends on.
 */
function imageRows(facts: Facts, { name, severity }: Service, now: number): HealthCheck[] {
  const container = ourContainer(facts, name);
  const image = facts.images.find(({ id }) => id === container?.imageId);
  const made = dateOf(image?.created);
  if (container === undefined || made === null) return [];
  const pulled = dateOf(image?.pulled);
  const days = Math.floor((now - Math.max(made, pulled ?? 0)) / DAY_MS);
  const here = pulled === null || pulled < made ? '' : `, on this instance since ${day(pulled)}`;
  const pin = container.image.includes('@sha256:') ? ', pinned by its digest' : '';
  const old = days >= OLD_DAYS ? '; what was fixed since is missing: pull it again, or name a newer one' : '';
  return [
    {
      name: `Image of ${name}`,
      state: old !== '' && severity === 'unhealthy' ? 'degraded' : 'healthy',
      finding: `${container.image} is unchanged for ${days} days: built on ${day(made)}${here}${pin}${old}`,
    },
  ];
}

/** Milliseconds since the epoch; null where Docker does not know it, which it writes as the year 1 (or leaves out). */
function dateOf(text: string | undefined): number | null {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) || time <= 0 ? null : time;
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

const STATES: Record<Room, Health> = { enough: 'healthy', little: 'degraded', 'hardly-any': 'unhealthy' };

function diskRow(disk: DiskFacts, savings: string): HealthCheck {
  const { name, path, size, available, inodes, inodesAvailable } = disk;
  const bytes = size > 0 ? available / size : 1;
  const files = inodes > 0 ? inodesAvailable / inodes : 1;
  const more = savings === '' ? '' : `; ${savings}`;
  return {
    name: `Disk of ${name}`,
    state: STATES[roomOf(disk)],
    finding: `${percent(bytes)} of ${gibibytes(size)} and ${percent(files)} of the inodes free at ${path}${more}`,
  };
}

function percent(part: number): string {
  return `${Math.floor(part * 100)} %`;
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
