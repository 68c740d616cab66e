import { sha256 } from '../../values/digest';
import type { Facts } from '../facts/facts';
import { STACK_DIRECTORY } from '../stack/stack';
import type { Desired } from './desired';
import { composeRelease } from './desired';
import { type InstanceStep, instanceStep } from './steps';

export const KEYRING = '/etc/apt/keyrings/docker.asc';
export const SOURCES = '/etc/apt/sources.list.d/docker.sources';
export const COMPOSE_RELEASE_FILE = `${STACK_DIRECTORY}/compose-release`;
export const COMPOSE_PLUGIN = '/usr/local/lib/docker/cli-plugins/docker-compose';

/** Where the engine on an instance comes from: Docker's packages, the distribution's, elsewhere, or nowhere. */
export type EngineOrigin = 'docker' | 'distro' | 'other' | 'none';

export function engineOrigin(facts: Facts): EngineOrigin {
  if (facts.packages.has('docker-ce')) return 'docker';
  if (facts.packages.has('docker.io')) return 'distro';
  const works = facts.engine !== '' || (facts.docker !== '' && facts.service.load === 'loaded');
  return works && !facts.packages.has('podman-docker') ? 'other' : 'none';
}

/** Docker's packages, the Compose plugin included. https://docs.docker.com/engine/install/debian/ */
const DOCKER_PACKAGES = ['docker-ce', 'docker-ce-cli', 'containerd.io', 'docker-compose-plugin'];

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
export function installationOf(desired: Desired, facts: Facts): Installation {
  const origin = engineOrigin(facts);
  const source = origin === 'none' ? desired.docker.source : origin;
  if (source === 'other') {
    return { packages: [], repository: false, composeBinary: needsCompose(desired, facts), why: '' };
  }
  const distro = distroPackages(facts);
  const compose = source === 'docker' ? 'docker-compose-plugin' : distro.compose;
  const wanted =
    source === 'docker' ? DOCKER_PACKAGES : [...distro.engine, ...(compose === null ? [] : [compose])];
  const packages = wanted.filter(
    (name) => !isInstalled(facts, name) && !(name === compose && facts.composePlugin !== null),
  );
  return {
    packages,
    repository: source === 'docker' && packages.length > 0,
    composeBinary: compose === null && needsCompose(desired, facts),
    why: origin === 'none' ? 'the instance has no Docker Engine' : 'it is missing',
  };
}

/** A Compose plugin of any other origin stays; ours follows `compose-version`. */
function needsCompose(desired: Desired, facts: Facts): boolean {
  if (facts.composePlugin === null) return true;
  if (facts.composePlugin !== COMPOSE_PLUGIN || !facts.files.has(COMPOSE_RELEASE_FILE)) return false;
  return facts.texts.get(COMPOSE_RELEASE_FILE)?.trim() !== composeRelease(desired.docker);
}

function isInstalled(facts: Facts, name: string): boolean {
  return facts.packages.has(name) && !facts.brokenPackages.includes(name);
}

/** The steps that give the instance an engine with Compose. */
export function engineSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const installation = installationOf(desired, facts);
  return [
    ...repairSteps(facts),
    ...(installation.repository ? repositorySteps(desired, facts) : []),
    ...packageSteps(installation, facts),
    ...composeSteps(installation, desired, facts),
    ...serviceSteps(installation, facts),
    ...groupSteps(facts),
  ];
}

function repairSteps({ brokenPackages }: Facts): InstanceStep[] {
  if (brokenPackages.length === 0) return [];
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

function repositorySteps({ docker }: Desired, facts: Facts): InstanceStep[] {
  const steps: InstanceStep[] = [];
  const prerequisites = ['ca-certificates', 'curl'].filter((name) => !isInstalled(facts, name));
  if (prerequisites.length > 0) {
    steps.push(
      instanceStep(
        { kind: 'install-packages', packages: prerequisites },
        `packages ${prerequisites.join(', ')}`,
        null,
        'installed',
        "Docker's repository is read over HTTPS",
      ),
    );
  }
  if (facts.aptEntries.length > 0) {
    steps.push(
      instanceStep(
        { kind: 'disable-apt-entries', files: facts.aptEntries },
        `Docker's entries in ${facts.aptEntries.join(', ')}`,
        'present',
        null,
        'apt refuses two entries of one repository with different keys',
      ),
    );
  }
  const base = `${docker.repository}/${facts.os.id}`;
  if (!facts.keyringWhole) {
    steps.push(
      instanceStep(
        { kind: 'install-keyring', url: `${base}/gpg`, path: KEYRING },
        `file ${KEYRING}`,
        facts.files.has(KEYRING) ? 'no whole key' : null,
        `${base}/gpg`,
        "apt verifies Docker's packages with it",
      ),
    );
  }
  const sources = sourcesFile(base, facts.os.codename);
  if (facts.files.get(SOURCES) !== sha256(sources)) {
    steps.push(
      instanceStep(
        { kind: 'write-file', path: SOURCES, content: sources },
        `file ${SOURCES}`,
        facts.files.has(SOURCES) ? 'other content' : null,
        base,
        "it is Docker's package source",
      ),
    );
  }
  return steps;
}

function sourcesFile(base: string, codename: string): string {
  return `Types: deb\nURIs: ${base}\nSuites: ${codename}\nComponents: stable\nSigned-By: ${KEYRING}\n`;
}

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

function composeSteps({ composeBinary }: Installation, desired: Desired, facts: Facts): InstanceStep[] {
  if (!composeBinary) return [];
  return [
    instanceStep(
      { kind: 'install-compose' },
      'Compose plugin',
      facts.composePlugin === null ? null : (facts.texts.get(COMPOSE_RELEASE_FILE)?.trim() ?? ''),
      composeRelease(desired.docker),
      facts.composePlugin === null
        ? 'the package source of the engine has none'
        : 'compose-version asks for another release',
    ),
  ];
}

function serviceSteps({ packages }: Installation, facts: Facts): InstanceStep[] {
  const comes = packages.includes('docker-ce') || packages.includes('docker.io');
  if (comes || engineOrigin(facts) === 'none' || facts.service.load !== 'loaded') return [];
  const state = `${facts.service.active}, ${facts.service.enabled}`;
  if (state === 'active, enabled' && facts.engine !== '') return [];
  return [
    instanceStep(
      { kind: 'start-engine' },
      'service docker',
      facts.engine === '' && state === 'active, enabled' ? 'active, but not answering' : state,
      'active, enabled',
      'the registry runs in it, also after a restart of the instance',
    ),
  ];
}

function groupSteps({ user, userInDockerGroup }: Facts): InstanceStep[] {
  if (userInDockerGroup || user === 'root') return [];
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
