import type { ContainerFacts, Facts } from '../../../src/instance/facts/facts';
import type { Desired } from '../../../src/instance/plan/desired';
import { stackOf } from '../../../src/instance/stack/stack';
import { sha256 } from '../../../src/values/digest';

/** What the inputs' defaults ask for. */
export const DESIRED: Desired = {
  registry: {
    host: null,
    port: 5000,
    uiPort: 18080,
    title: 'vm registry',
    image: 'registry:3',
    ui: 'joxit',
    uiImage: 'joxit/docker-registry-ui:2.6.0',
    dataPath: null,
  },
  docker: {
    source: 'docker',
    repository: 'https://download.docker.com/linux',
    mirrors: [],
    compose: { version: 'v2.40.3', sha256: null },
  },
};

const GIB = 1024 ** 3;
const VOLUME = '/var/lib/docker/volumes/gce-registry_registry-data/_data';

/** A fresh Debian 13. */
export const BARE: Facts = {
  client: '198.51.100.7',
  clockAhead: 0,
  arch: 'x86_64',
  systemd: true,
  os: { id: 'debian', version: '13', codename: 'trixie', name: 'Debian GNU/Linux 13 (trixie)' },
  user: 'ci',
  userInDockerGroup: false,
  docker: '',
  engine: '',
  dockerRoot: '/var/lib/docker',
  compose: null,
  service: { load: 'not-found', active: 'inactive', enabled: '' },
  units: new Map(),
  dockerGroup: false,
  packages: new Map([['ca-certificates', '1']]),
  brokenPackages: [],
  files: new Map(),
  texts: new Map(),
  aptSources: new Map(),
  aptKeys: new Map(),
  aptLists: [],
  disks: ['root', 'docker', 'data'].map((name) => ({
    name,
    path: '/',
    mount: '/',
    size: 10 * GIB,
    available: 8 * GIB,
    inodes: 600_000,
    inodesAvailable: 500_000,
  })),
  data: {
    recorded: '',
    recordedHoldsImages: false,
    wantedExists: false,
    wantedHoldsImages: false,
    volume: VOLUME,
    volumeHoldsImages: false,
  },
  lock: { turn: '', busy: false },
  mirrors: null,
  listeners: [],
  forwardingBlocked: false,
  registryStatus: null,
  uiStatus: null,
  containers: [],
  running: [],
};

/** The containers that `desired` asks for, as they run when all is well. */
export function containersOf(desired: Desired): ContainerFacts[] {
  return stackOf(desired.registry).services.map(({ name, image, port, spec }) => ({
    name: `gce-registry-${name}-1`,
    image,
    state: 'running',
    health: 'healthy',
    exitCode: 0,
    restarts: 0,
    startedAt: '2026-01-01T00:00:00Z',
    project: 'gce-registry',
    service: name,
    spec,
    ports: [port],
    dataSource: name === 'registry' ? (desired.registry.dataPath ?? VOLUME) : null,
  }));
}

/** A Debian 13 to which there is nothing to do. */
export function converged(desired: Desired = DESIRED): Facts {
  const files = Object.entries(stackOf(desired.registry).files).flatMap(([path, content]) =>
    content === null ? [] : [[path, sha256(content)] as const],
  );
  return {
    ...BARE,
    userInDockerGroup: true,
    docker: '/usr/bin/docker',
    engine: '28.0.0',
    compose: { path: '/usr/libexec/docker/cli-plugins/docker-compose', version: '2.40.3' },
    mirrors: [],
    dockerGroup: true,
    service: { load: 'loaded', active: 'active', enabled: 'enabled' },
    packages: new Map(
      ['ca-certificates', 'docker-ce', 'docker-ce-cli', 'containerd.io', 'docker-compose-plugin'].map(
        (name) => [name, '1'],
      ),
    ),
    files: new Map(files),
    data: {
      ...BARE.data,
      recorded: desired.registry.dataPath ?? '',
      recordedHoldsImages: desired.registry.dataPath !== null,
      wantedExists: desired.registry.dataPath !== null,
      volumeHoldsImages: desired.registry.dataPath === null,
    },
    listeners: [{ address: '0.0.0.0', port: desired.registry.port, process: 'docker-proxy' }],
    registryStatus: 200,
    uiStatus: 200,
    containers: containersOf(desired),
    running: containersOf(desired).map(({ name, image, ports, project }) => ({
      name,
      image,
      ports: `0.0.0.0:${ports[0]}->80/tcp`,
      project,
    })),
  };
}
