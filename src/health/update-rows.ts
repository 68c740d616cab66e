import type { Facts } from '../instance/facts/facts';
import type { UpdateFacts } from '../instance/facts/updates';
import { ourContainer } from '../instance/plan/containers';
import { newerDigest, shortDigest } from '../instance/plan/newer';
import type { Service } from '../instance/stack/services';
import { excerpt } from '../values/show';
import type { HealthCheck } from './check';

const DAY_SECONDS = 24 * 60 * 60;
/**
 * Updates of security that wait are worth a word when nothing was installed for so long: unattended-upgrades installs them
 * within a day or two, so it is off, or stuck.
 */
const FORGOTTEN_DAYS = 7;

/** What is behind, a row a subject; none where that was not read. */
export function updateRows(facts: Facts, services: readonly Service[]): HealthCheck[] {
  const { updates } = facts;
  if (updates === null) return [];
  return [
    ...services.flatMap((service) => tagRows(service, facts, updates)),
    securityRow(updates),
    lastUpdateRow(updates),
  ];
}

/** A newer image is no reason to be woken: how old the one is that runs, its own row says. */
function tagRows({ name, image }: Service, facts: Facts, { tags }: UpdateFacts): HealthCheck[] {
  const tag = tags.find((each) => each.image === image);
  const container = ourContainer(facts, name);
  if (tag === undefined || container?.image !== image) return [];
  const row = (finding: string): HealthCheck[] => [{ name: `Tag of ${name}`, state: 'healthy', finding }];
  if (tag.digest === null) return row(`${image} could not be looked up: ${excerpt(tag.trouble)}`);
  const newer = newerDigest(container, facts);
  return newer === null
    ? row(`${image} is what its registry has (${shortDigest(tag.digest)})`)
    : row(`${image} is newer at its registry (${shortDigest(newer)}): a run with update: true fetches it`);
}

function securityRow({ packages, packagesAge, listsAge }: UpdateFacts): HealthCheck {
  const name = 'Security updates';
  const waiting = packages.filter(({ security }) => security);
  const known = `as of apt's lists, ${ago(listsAge)}`;
  if (waiting.length === 0) return { name, state: 'healthy', finding: `none waits, ${known}` };
  const idle = packagesAge === null ? 0 : Math.floor(packagesAge / DAY_SECONDS);
  const names = waiting.slice(0, 5).map((each) => each.name);
  const more = waiting.length > names.length ? ' and others' : '';
  const isForgotten = idle >= FORGOTTEN_DAYS;
  return {
    name,
    state: isForgotten ? 'degraded' : 'healthy',
    finding:
      `${waiting.length} packages wait (${names.join(', ')}${more}), ${known}` +
      (isForgotten ? `; nothing was installed for ${idle} days: is unattended-upgrades on?` : ''),
  };
}

function lastUpdateRow({ updateAge }: UpdateFacts): HealthCheck {
  const finding =
    updateAge === null
      ? 'no run has updated anything yet'
      : `the last one by this action is ${ago(updateAge)}`;
  return { name: 'Last update', state: 'healthy', finding };
}

function ago(seconds: number | null): string {
  if (seconds === null) return 'never fetched';
  const days = Math.floor(seconds / DAY_SECONDS);
  return days === 0 ? 'of today' : days === 1 ? 'of yesterday' : `of ${days} days ago`;
}
