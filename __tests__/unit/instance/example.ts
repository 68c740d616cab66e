import type { Facts } from '../../../src/instance/facts/facts';
import type { ContainerFacts, DirectoryFacts } from '../../../src/instance/facts/stack';
import { NO_USERS } from '../../../src/instance/facts/users';
import type { Desired } from '../../../src/instance/plan/desired';
import { type Stack, stackOf } from '../../../src/instance/stack/stack';
import { sha256 } from '../../../src/values/digest';

/** What the inputs' defaults ask for. */
export const DESIRED: Desired = {
  registry: {
    host: null,
    port: 5000,
    uiPort: 18080,
    loopback: false,
    title: 'vm registry',
    image: 'registry:3',
    frontImage: 'caddy:2.11.9',
    ui: 'joxit',
    uiImage: 'joxit/docker-registry-ui:2.6.0',
    dataPath: null,
    tls: { kind: 'none' },
    access: { login: null, logins: [], sole: { writers: false, readers: false }, anonymousPull: false },
  },
  tls: { kind: 'none' },
  docker: {
    source: 'docker',
    repository: 'https://download.docker.com/linux',
    mirrors: [],
    compose: { version: 'v2.40.3', sha256: null },
  },
  pushes: true,
};

const GIB = 1024 ** 3;
const VOLUME = '/var/lib/docker/volumes/gce-registry_registry-data/_data';

const ID = '6f1e';
const NETWORK_ID = '0123456789abcdef';

/** A directory of the registry's data. */
export function directory(path: string, changes: Partial<DirectoryFacts> = {}): DirectoryFacts {
  return { path, real: path, ready: false, holdsImages: false, id: '', ...changes };
}

/** As `iptables -S` prints the table of an instance without rules. */
const NO_RULES = { filter: '', translations: '', nftables: [], dockerUsesNftables: false };

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
  packages: new Map([
    ['ca-certificates', '1'],
    ['openssl', '1'],
  ]),
  brokenPackages: [],
  lacksAppArmor: false,
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
  data: { recorded: directory(''), wanted: directory(''), volume: directory(VOLUME), identity: null },
  lock: { turn: '', busy: false },
  users: NO_USERS,
  mirrors: null,
  listeners: [],
  probes: new Map(),
  plain: [],
  containers: [],
  images: [],
  network: {
    ipv6: false,
    addresses: [
      { cidr: '127.0.0.1/8', device: 'lo' },
      { cidr: '10.132.0.2/32', device: 'ens4' },
    ],
    routes: [{ cidr: '10.132.0.1/32', device: 'ens4' }],
    chosen: '',
  },
  packetRules: NO_RULES,
  frontComplaint: '',
};

/** The stack that `desired` asks for, on an instance without surprises. */
export function stackFor({ registry, tls }: Desired): Stack {
  const serverName = tls.kind === 'none' ? null : tls.names[0];
  return stackOf(registry, {
    dataPath: registry.dataPath,
    subnet: null,
    ipv6: false,
    serverName,
    logins: null,
  });
}

/** The containers that `desired` asks for, as they run when all is well. */
export function containersOf(desired: Desired): ContainerFacts[] {
  return stackFor(desired).services.map(({ name, image, ports, spec, data }) => ({
    name: `gce-registry-${name}-1`,
    image,
    imageId: 'sha256:1',
    state: 'running',
    health: 'healthy',
    exitCode: 0,
    restarts: 0,
    startedAt: '2026-01-01T00:00:00Z',
    restartPolicy: 'always',
    project: 'gce-registry',
    service: name,
    spec,
    asked: ports.map(({ published, target }) => ({ address: '0.0.0.0', port: published, target })),
    published: ports.map(({ published, target }) => ({ address: '0.0.0.0', port: published, target })),
    dataSource: data === null ? null : (desired.registry.dataPath ?? VOLUME),
    networkId: NETWORK_ID,
  }));
}

/** A Debian 13 to which there is nothing to do. */
export function converged(desired: Desired = DESIRED): Facts {
  const { services, files: wanted, front } = stackFor(desired);
  const files = Object.entries({ ...wanted, [front.path]: front.content }).flatMap(([path, content]) =>
    content === null ? [] : [[path, sha256(content)] as const],
  );
  const { dataPath } = desired.registry;
  const place = directory(dataPath ?? '', {
    ready: dataPath !== null,
    holdsImages: dataPath !== null,
    id: dataPath === null ? '' : ID,
  });
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
      [
        'ca-certificates',
        'openssl',
        'docker-ce',
        'docker-ce-cli',
        'containerd.io',
        'docker-compose-plugin',
      ].map((name) => [name, '1']),
    ),
    files: new Map(files),
    data: {
      recorded: place,
      wanted: place,
      volume: directory(VOLUME, {
        ready: true,
        holdsImages: dataPath === null,
        id: dataPath === null ? ID : '',
      }),
      identity: { id: ID, mount: '/', fileSystem: 'ext4 /dev/sda1' },
    },
    listeners: [{ address: '0.0.0.0', port: desired.registry.port, process: 'docker-proxy' }],
    probes: new Map(services.map(({ name }) => [name, 200])),
    plain: [],
    containers: containersOf(desired),
    network: {
      ...BARE.network,
      addresses: [
        ...BARE.network.addresses,
        { cidr: '172.18.0.1/16', device: `br-${NETWORK_ID.slice(0, 12)}` },
      ],
    },
  };
}
