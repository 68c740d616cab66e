import type { Facts } from '../facts/facts';
import type { PackageUpgrade } from '../facts/updates';
import { ourContainers } from './containers';
import type { Desired } from './desired';
import { type InstanceStep, instanceStep } from './steps';

/** What Docker consists of, in Docker's own packages and in those of Debian and Ubuntu. */
const DOCKER: readonly string[] = [
  ...['docker-ce', 'docker-ce-cli', 'docker-ce-rootless-extras', 'containerd.io'],
  ...['docker-buildx-plugin', 'docker-compose-plugin'],
  ...[
    'docker.io',
    'docker-cli',
    'docker-buildx',
    'docker-compose',
    'docker-compose-v2',
    'containerd',
    'runc',
  ],
];
/** With these the engine is started again. */
const RESTARTING: readonly string[] = ['docker-ce', 'docker.io', 'containerd.io', 'containerd'];
/** Lists of apt that are older are fetched before anybody says that there is nothing newer in them. */
const OLD_LISTS_SECONDS = 24 * 60 * 60;

/**
 * Upgrades Docker's packages where apt knows newer ones that the owner's holds and pins allow, or has not asked for a day.
 * Another package of the instance is none of ours.
 */
export function upgradeSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const { updates } = facts;
  if (!desired.update || updates === null || facts.engine === '') return [];
  if (!DOCKER.some((name) => facts.packages.has(name))) return [];
  const newer = updates.packages.filter(({ name }) => DOCKER.includes(name));
  const areListsOld = updates.listsAge === null || updates.listsAge >= OLD_LISTS_SECONDS;
  if (newer.length === 0 && !areListsOld) return [];
  return [
    instanceStep(
      { kind: 'upgrade-packages', packages: DOCKER },
      newer.length === 0 ? "Docker's packages" : `packages ${newer.map(({ name }) => name).join(', ')}`,
      newer.length === 0 ? `as of ${ageOfLists(updates.listsAge)}` : versions(newer, 'from'),
      newer.length === 0 ? 'as of today' : versions(newer, 'to'),
      `update is true${downtimeOf(newer, facts)}`,
    ),
  ];
}

/** What the owner keeps from being upgraded. */
export function upgradeNotes(desired: Desired, { heldPackages, packages }: Facts): string[] {
  const held = heldPackages.filter((name) => DOCKER.includes(name));
  if (!desired.update || held.length === 0) return [];
  return [
    `${held.map((name) => `${name} ${packages.get(name)}`).join(', ')}: held by the owner, and left so`,
  ];
}

function ageOfLists(seconds: number | null): string {
  return seconds === null ? 'never' : `${Math.floor(seconds / 86_400)} days ago`;
}

function versions(newer: readonly PackageUpgrade[], end: 'from' | 'to'): string {
  return newer.map((each) => each[end]).join(', ');
}

/** Who is without a container meanwhile: said before it happens. */
function downtimeOf(newer: readonly PackageUpgrade[], facts: Facts): string {
  const restarting = newer.filter(({ name }) => RESTARTING.includes(name));
  if (newer.length > 0 && restarting.length === 0) return '';
  const when = newer.length === 0 ? 'where a newer engine is found it' : 'the engine';
  if (facts.liveRestore) {
    const far = restarting.some(({ from, to }) => release(from) !== release(to));
    const limit = far ? ', which Docker promises for patch releases alone' : '';
    return `; ${when} is started again, and live-restore lets containers go on${limit}`;
  }
  const names = new Set(ourContainers(facts).map(({ name }) => name));
  const others = facts.containers.filter(({ name, state }) => state === 'running' && !names.has(name));
  const theirs = others.length === 0 ? '' : `, and with it ${others.map(({ name }) => name).join(', ')}`;
  return `; ${when} is started again: the registry is away for some seconds${theirs}`;
}

/** `29.1` of `5:29.1.2-1~debian.13~trixie`. https://docs.docker.com/engine/daemon/live-restore/ */
function release(version: string): string {
  return /^(?:\d+:)?(\d+\.\d+)/.exec(version)?.[1] ?? version;
}
