import type { Facts } from '../facts/facts';
import { composeState, composeSteps } from './compose-plan';
import type { Desired } from './desired';
import { repositorySteps } from './repository-plan';
import { type InstanceStep, instanceStep } from './steps';

/** Where the engine on an instance comes from: Docker's packages, the distribution's, elsewhere, or nowhere. */
export type EngineOrigin = 'docker' | 'distro' | 'other' | 'none';

function engineOrigin(facts: Facts): EngineOrigin {
  if (facts.packages.has('docker-ce')) return 'docker';
  if (facts.packages.has('docker.io')) return 'distro';
  const works = facts.engine !== '' || (facts.docker !== '' && facts.service.load === 'loaded');
  return works && !facts.packages.has('podman-docker') ? 'other' : 'none';
}

/** Docker's packages, without the Compose plugin. https://docs.docker.com/engine/install/debian/ */
const DOCKER_PACKAGES: readonly string[] = ['docker-ce', 'docker-ce-cli', 'containerd.io'];

/** The distribution's packages: the engine, the CLI where it has a package of its own, and Compose v2 if any. */
function distroPackages({ os }: Facts): { engine: readonly string[]; compose: string | null } {
  if (os.id === 'ubuntu') return { engine: ['docker.io'], compose: 'docker-compose-v2' };
  if (os.version === '12') return { engine: ['docker.io'], compose: null };
  return { engine: ['docker.io', 'docker-cli'], compose: 'docker-compose' };
}

/** What is to be installed, and whether Docker's repository must be there for it. */
export interface Installation {
  readonly packages: readonly string[];
  readonly repository: boolean;
  /** The Compose plugin has no package here, and is sent. */
  readonly composeBinary: boolean;
  readonly why: string;
}

/** An engine that is there stays, whatever its origin; only what is missing is added. */
function installationOf(desired: Desired, facts: Facts): Installation {
  const origin = engineOrigin(facts);
  const source = origin === 'none' ? desired.docker.source : origin;
  const state = composeState(desired, facts);
  const distro = distroPackages(facts);
  const composePackage = { docker: 'docker-compose-plugin', distro: distro.compose, other: null }[source];
  const fromPackage = state === 'missing' && composePackage !== null && !isInstalled(facts, composePackage);
  const fromOrigin = { docker: DOCKER_PACKAGES, distro: distro.engine, other: [] }[source];
  // Packages of Docker only recommend it, and what they recommend besides is not needed.
  const engine = origin === 'none' && facts.lacksAppArmor ? [...fromOrigin, 'apparmor'] : fromOrigin;
  const packages = [
    ...engine.filter((name) => isMissing(facts, name)),
    ...(fromPackage || (composePackage !== null && facts.brokenPackages.includes(composePackage))
      ? [composePackage]
      : []),
  ];
  return {
    packages,
    repository: source === 'docker' && packages.length > 0,
    composeBinary: state !== 'works' && !fromPackage,
    why: origin === 'none' ? 'the instance has no Docker Engine' : 'it is missing',
  };
}

/** An engine that answers lacks nothing, however it was put together. */
function isMissing(facts: Facts, name: string): boolean {
  return facts.brokenPackages.includes(name) || (facts.engine === '' && !facts.packages.has(name));
}

function isInstalled(facts: Facts, name: string): boolean {
  return facts.packages.has(name) && !facts.brokenPackages.includes(name);
}

/** The steps that give the instance an engine with Compose. */
export function engineSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const installation = installationOf(desired, facts);
  return [
    ...(installation.repository ? repositorySteps(desired, facts) : []),
    ...packageSteps(installation, facts),
    ...(installation.composeBinary ? composeSteps(desired, facts) : []),
    ...serviceSteps(installation, facts),
    ...groupSteps(installation, facts),
  ];
}

/**
 * Finishes what dpkg has not finished, where packages are to be installed: apt would else fail. Where nothing is to be
 * installed it is none of ours.
 */
export function repairSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const { brokenPackages } = facts;
  if (brokenPackages.length === 0 || installationOf(desired, facts).packages.length === 0) return [];
  return [
    instanceStep(
      { kind: 'repair-packages' },
      `packages ${brokenPackages.slice(0, 10).join(', ')}`,
      'half installed',
      'configured',
      'an installation was interrupted',
    ),
  ];
}

/** What is said of an engine that is used as it is. */
export function engineNotes(desired: Desired, facts: Facts): string[] {
  const notes: string[] = [];
  const origin = engineOrigin(facts);
  if (origin !== 'none' && origin !== desired.docker.source) {
    const [name, version] = ENGINE_PACKAGES.map((candidate) => [
      candidate,
      facts.packages.get(candidate),
    ]).find(([, found]) => found !== undefined) ?? ['an unpackaged engine', facts.engine];
    notes.push(
      `the engine that is there (${name} ${version}) is kept, although docker-source is ${desired.docker.source}`,
    );
  }
  if (facts.brokenPackages.length > 0 && repairSteps(desired, facts).length === 0) {
    notes.push(
      `dpkg has not finished ${facts.brokenPackages.slice(0, 10).join(', ')}, which is left so, since no package is needed`,
    );
  }
  if (facts.engine !== '' && facts.service.load === 'not-found') {
    notes.push('its engine is no service of systemd, so nobody may start it after a restart of the instance');
  }
  if (facts.engine !== '' && !facts.dockerGroup) {
    notes.push(`there is no group docker, so ${facts.user} uses docker with sudo`);
  }
  return notes;
}

const ENGINE_PACKAGES = ['docker-ce', 'docker.io'] as const;

function packageSteps({ packages, why }: Installation, facts: Facts): InstanceStep[] {
  if (packages.length === 0) return [];
  const engine = packages.includes('docker-ce') || packages.includes('docker.io');
  const steps: InstanceStep[] = [];
  if (facts.packages.has('podman-docker')) {
    steps.push(
      instanceStep(
        { kind: 'remove-packages', packages: ['podman-docker'] },
        'package podman-docker',
        'installed',
        null,
        'its command docker stands in the way of the real one',
      ),
    );
  }
  steps.push(
    instanceStep(
      { kind: engine ? 'install-engine' : 'install-packages', packages },
      `packages ${packages.join(', ')}`,
      null,
      'installed',
      why,
    ),
  );
  return steps;
}

function serviceSteps({ packages }: Installation, facts: Facts): InstanceStep[] {
  const comes = packages.includes('docker-ce') || packages.includes('docker.io');
  if (comes || engineOrigin(facts) === 'none' || facts.service.load !== 'loaded') return [];
  const state = `${facts.service.active}, ${facts.service.enabled}`;
  if (state === 'active, enabled' && facts.engine !== '') return [];
  return [
    ...(facts.dockerGroup ? [] : [groupStep()]),
    instanceStep(
      { kind: 'start-engine' },
      'service docker',
      facts.engine === '' && state === 'active, enabled' ? 'active, but not answering' : state,
      'active, enabled',
      'the registry runs in it, also after a restart of the instance',
    ),
  ];
}

/** docker.socket belongs to the group, and does not start without it. */
function groupStep(): InstanceStep {
  return instanceStep(
    { kind: 'add-group', group: 'docker' },
    'group docker',
    null,
    'present',
    'docker.socket belongs to it, and does not start without it',
  );
}

/** Where an engine works without a group docker, somebody took it away: it is as good as root. */
function groupSteps({ packages }: Installation, facts: Facts): InstanceStep[] {
  const { user, userInDockerGroup, dockerGroup, engine } = facts;
  const comes = packages.includes('docker-ce') || packages.includes('docker.io');
  if (userInDockerGroup || user === 'root' || !(dockerGroup || comes || engine === '')) return [];
  return [
    instanceStep(
      { kind: 'add-to-group', user },
      `user ${user}`,
      'not in group docker',
      'in group docker',
      'it can then use docker without sudo',
    ),
  ];
}
