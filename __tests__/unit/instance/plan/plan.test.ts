import type { Facts } from '../../../../src/instance/facts/facts';
import type { ContainerFacts } from '../../../../src/instance/facts/stack';
import type { Desired } from '../../../../src/instance/plan/desired';
import { planInstance } from '../../../../src/instance/plan/plan';
import { BARE, containersOf, converged, DESIRED } from '../example';

const kinds = (desired: Desired, facts: Facts) =>
  planInstance(desired, facts).steps.map(({ action }) => action.kind);
const packagesOf = (desired: Desired, facts: Facts) =>
  planInstance(desired, facts).steps.flatMap(({ action }) =>
    action.kind === 'install-engine' || action.kind === 'install-packages' ? action.packages : [],
  );
const withRegistry = (changes: Partial<Desired['registry']>): Desired => ({
  ...DESIRED,
  registry: { ...DESIRED.registry, ...changes },
});
const withDocker = (changes: Partial<Desired['docker']>): Desired => ({
  ...DESIRED,
  docker: { ...DESIRED.docker, ...changes },
});
const STACK = [
  'pull-images',
  'write-file',
  'write-file',
  'write-file',
  'configure-front',
  'start-containers',
  'mark-data',
];

const debian12 = { id: 'debian', version: '12', codename: 'bookworm', name: 'Debian 12' };
const debian13 = BARE.os;
const jammy = { id: 'ubuntu', version: '22.04', codename: 'jammy', name: 'Ubuntu 22.04' };
const noble = { id: 'ubuntu', version: '24.04', codename: 'noble', name: 'Ubuntu 24.04' };
const DOCKER = ['docker-ce', 'docker-ce-cli', 'containerd.io', 'docker-compose-plugin'];

describe('a bare instance', () => {
  test.each([
    [debian12, 'docker', DOCKER, false],
    [debian13, 'docker', DOCKER, false],
    [jammy, 'docker', DOCKER, false],
    [noble, 'docker', DOCKER, false],
    [debian12, 'distro', ['docker.io'], true],
    [debian13, 'distro', ['docker.io', 'docker-cli', 'docker-compose'], false],
    [jammy, 'distro', ['docker.io', 'docker-compose-v2'], false],
    [noble, 'distro', ['docker.io', 'docker-compose-v2'], false],
  ] as const)('%j from %s gets %j; Compose is sent: %s', (os, source, packages, compose) => {
    for (const arch of ['x86_64', 'aarch64']) {
      const desired = withDocker({ source });
      const facts = { ...BARE, os, arch };
      expect(packagesOf(desired, facts)).toEqual(packages);
      expect(kinds(desired, facts)).toEqual([
        ...(source === 'docker' ? ['install-keyring', 'write-file'] : []),
        'install-engine',
        ...(compose ? ['install-compose'] : []),
        'add-to-group',
        ...STACK,
      ]);
    }
  });

  test.each([
    [debian12, 'debian', 'bookworm'],
    [noble, 'ubuntu', 'noble'],
  ])("of %j gets Docker's repository for it", (os, id, suite) => {
    const { steps } = planInstance(DESIRED, { ...BARE, os });
    expect(steps[0]?.action).toMatchObject({ url: `https://download.docker.com/linux/${id}/gpg` });
    expect(steps[1]?.action).toEqual({
      kind: 'write-file',
      path: '/etc/apt/sources.list.d/docker.sources',
      content:
        `Types: deb\nURIs: https://download.docker.com/linux/${id}\nSuites: ${suite}\nComponents: stable\n` +
        'Signed-By: /etc/apt/keyrings/docker.asc\n',
    });
  });

  test('without certificates gets them first', () => {
    const facts = { ...BARE, packages: new Map() };
    expect(packagesOf(DESIRED, facts)[0]).toBe('ca-certificates');
    expect(packagesOf(withDocker({ source: 'distro' }), facts)[0]).toBe('docker.io');
  });

  test.each(['docker', 'distro'] as const)(
    'whose kernel has AppArmor, and no program to load profiles, gets that beside Docker from %s',
    (source) => {
      const facts = { ...BARE, lacksAppArmor: true };
      expect(packagesOf(withDocker({ source }), facts)).toContain('apparmor');
      expect(packagesOf(withDocker({ source }), { ...converged(), lacksAppArmor: true })).toEqual([]);
    },
  );

  test('with half-configured packages has them repaired first', () => {
    const facts = { ...BARE, brokenPackages: ['docker-ce'], packages: new Map([['docker-ce', '1']]) };
    expect(kinds(DESIRED, facts)[0]).toBe('repair-packages');
    expect(packagesOf(DESIRED, facts)).toContain('docker-ce');
  });

  test('with the docker command of podman loses that', () => {
    const facts = { ...BARE, docker: '/usr/bin/docker', packages: new Map([['podman-docker', '4']]) };
    expect(kinds(DESIRED, facts)).toEqual(expect.arrayContaining(['remove-packages', 'install-engine']));
  });

  test('gets the data directory that is asked for', () => {
    expect(kinds(withRegistry({ dataPath: '/mnt/data' }), BARE)).toContain('make-directory');
  });

  test('without a UI has no file of it', () => {
    const desired = withRegistry({ ui: 'none', uiImage: null });
    expect(kinds(desired, BARE).filter((kind) => kind === 'write-file')).toHaveLength(3);
    expect(planInstance(desired, BARE).steps.at(-2)?.action).toEqual({
      kind: 'start-containers',
      endpoints: [{ service: 'registry', scheme: 'http', port: 5000, path: '/v2/' }],
      subnet: null,
      stopFirst: [],
      recreate: [],
      handOver: null,
    });
  });

  test('gets the mirrors before the engine, which then starts with them', () => {
    const desired = withDocker({ mirrors: ['https://mirror.gcr.io'] });
    expect(kinds(desired, BARE)[0]).toBe('write-file');
    expect(kinds(desired, BARE)).not.toContain('reload-engine');
  });
});

describe('an engine that is there', () => {
  const debianEngine = {
    ...converged(),
    packages: new Map([
      ['docker.io', '26.1.5'],
      ['docker-cli', '26.1.5'],
      ['docker-compose', '2.26.1'],
    ]),
  };

  test('stays, whatever docker-source says, and is noted', () => {
    const plan = planInstance(DESIRED, debianEngine);
    expect(plan.steps).toEqual([]);
    expect(plan.notes).toEqual([
      'the engine that is there (docker.io 26.1.5) is kept, although docker-source is docker',
    ]);
    expect(planInstance(withDocker({ source: 'distro' }), debianEngine).notes).toEqual([]);
  });

  test.each([
    ['docker.io on Debian 13', debian13, [['docker.io', '26']], ['docker-compose'], false],
    ['docker.io on Debian 12', debian12, [['docker.io', '20']], [], true],
    ['docker.io on Ubuntu', noble, [['docker.io', '24']], ['docker-compose-v2'], false],
    ['docker-ce', debian13, [['docker-ce', '28']], ['docker-compose-plugin'], false],
    ['one without a package', debian13, [], [], true],
  ] as const)('of %s without Compose gets what is missing', (_, os, packages, missing, compose) => {
    const facts = {
      ...converged(),
      os,
      compose: null,
      packages: new Map<string, string>([['ca-certificates', '1'], ...packages]),
    };
    expect(packagesOf(DESIRED, facts)).toEqual(missing);
    expect(kinds(DESIRED, facts).includes('install-compose')).toBe(compose);
    expect(kinds(DESIRED, facts)).not.toContain('install-engine');
  });

  test.each([
    ['stopped', { active: 'inactive', enabled: 'enabled' }, '28', 'inactive, enabled'],
    ['not enabled', { active: 'active', enabled: 'disabled' }, '28', 'active, disabled'],
    ['not answering', { active: 'active', enabled: 'enabled' }, '', 'active, but not answering'],
  ])('and is %s is started', (_, service, engine, from) => {
    const facts = { ...converged(), engine, service: { ...converged().service, ...service } };
    const step = planInstance(DESIRED, facts).steps.find(({ action }) => action.kind === 'start-engine');
    expect(step?.change.from).toBe(from);
  });
});

describe('daemon.json', () => {
  const desired = withDocker({ mirrors: ['https://mirror.gcr.io'] });
  const path = '/etc/docker/daemon.json';
  const withConfig = (text: string) => ({ ...converged(), texts: new Map([[path, text]]) });

  test('keeps what else is in it, and the engine reloads', () => {
    const facts = withConfig('{"log-level": "warn", "registry-mirrors": ["https://other/"]}');
    const [write, reload] = planInstance(desired, facts).steps;
    expect(JSON.parse(write?.action.kind === 'write-file' ? write.action.content : '')).toEqual({
      'log-level': 'warn',
      'registry-mirrors': ['https://other/', 'https://mirror.gcr.io'],
    });
    expect(reload?.action.kind).toBe('reload-engine');
  });

  test('that has the mirror stays', () => {
    const facts = withConfig('{"registry-mirrors": ["https://mirror.gcr.io/"]}');
    expect(kinds(desired, { ...facts, mirrors: ['https://mirror.gcr.io/'] })).toEqual([]);
    expect(kinds(desired, { ...facts, mirrors: null })).toEqual([]);
  });

  test('that was written and not loaded, by a run that was cut off, is loaded', () => {
    const facts = withConfig('{"registry-mirrors": ["https://mirror.gcr.io"]}');
    expect(kinds(desired, { ...facts, mirrors: [] })).toEqual(['reload-engine']);
    expect(kinds(desired, { ...facts, mirrors: [], engine: '' })).not.toContain('reload-engine');
  });

  test.each(['{', '[]', '{"registry-mirrors": "x"}', '// comment\n{}'])('%j is refused', (text) => {
    expect(() => planInstance(desired, withConfig(text))).toThrow('Broken daemon.json');
    expect(planInstance(DESIRED, withConfig(text)).steps).toEqual([]);
  });
});

describe('drift', () => {
  test('none', () => {
    for (const desired of [
      DESIRED,
      withRegistry({ dataPath: '/mnt/data' }),
      withRegistry({ ui: 'none', uiImage: null }),
    ]) {
      expect(planInstance(desired, converged(desired))).toEqual({ steps: [], notes: [] });
    }
  });

  const container = (name: string, changes: Partial<ContainerFacts>) => ({
    containers: converged().containers.map((one) => (one.service === name ? { ...one, ...changes } : one)),
  });
  const published = (port: number, address = '0.0.0.0') => ({ address, port, target: 5000 });
  const silent = new Map([
    ['registry', null],
    ['ui', 200],
  ]);
  test.each<[string, Partial<Facts>, string, string[]]>([
    [
      'registry stopped',
      container('registry', { state: 'exited', exitCode: 2 }),
      'registry stopped (exit code 2)',
      [],
    ],
    ['UI stopped', container('ui', { state: 'exited' }), 'ui stopped (exit code 0)', []],
    ['UI paused', container('ui', { state: 'paused' }), 'ui paused', ['ui']],
    [
      'registry restarting',
      container('registry', { state: 'restarting' }),
      'registry restarting',
      ['registry'],
    ],
    ['another image', container('registry', { image: 'registry:2' }), 'registry from registry:2', []],
    ['other ports', container('front', { asked: [published(6000)] }), 'front on port 6000', []],
    ['no ports', container('front', { asked: [] }), 'front on port none', []],
    ['other settings', container('ui', { spec: 'x' }), 'ui with other settings', []],
    ['no answer', { probes: silent }, 'registry not answering', []],
    [
      'no answer, and unhealthy',
      { ...container('registry', { health: 'unhealthy' }), probes: silent },
      'registry not answering',
      ['registry'],
    ],
    [
      'on the loopback address alone',
      container('front', {
        published: [published(5000, '127.0.0.1'), published(5000, '::1'), published(18080)],
      }),
      'front on port 5000 of the instance itself alone',
      ['front'],
    ],
    [
      'on one of several addresses',
      container('front', {
        published: [published(5000, '127.0.0.1'), published(5000), published(18080)],
      }),
      '',
      [],
    ],
    [
      'nothing answers, and the front is unhealthy',
      {
        ...container('front', { health: 'unhealthy' }),
        probes: new Map([
          ['registry', null],
          ['ui', null],
        ]),
      },
      'registry not answering; front unhealthy; ui not answering',
      ['front'],
    ],
    ['a front unhealthy, but passing on', container('front', { health: 'unhealthy' }), '', []],
    [
      'no front',
      { containers: converged().containers.filter(({ service }) => service !== 'front') },
      'front missing',
      [],
    ],
    ['no UI', { containers: containersOf(DESIRED).slice(0, 2) }, 'ui missing', []],
    [
      'registry secured by hand',
      {
        probes: new Map([
          ['registry', 401],
          ['ui', 200],
        ]),
      },
      '',
      [],
    ],
    ['unhealthy, but answering', container('registry', { health: 'unhealthy' }), '', []],
  ])('%s', (_, changes, from, recreate) => {
    const { steps } = planInstance(DESIRED, { ...converged(), ...changes });
    const start = steps.find(({ action }) => action.kind === 'start-containers');
    expect(start?.change.from ?? '').toBe(from);
    if (start?.action.kind === 'start-containers') expect(start.action.recreate).toEqual(recreate);
  });

  test('compose file edited', () => {
    const files = new Map([...converged().files, ['/etc/gce-registry/compose.yaml', 'x']]);
    expect(kinds(DESIRED, { ...converged(), files })).toEqual(['write-file', 'start-containers']);
  });

  test('a front with other content is told, and goes on running', () => {
    const files = new Map([...converged().files, ['/etc/gce-registry/front/Caddyfile', 'x']]);
    expect(kinds(DESIRED, { ...converged(), files })).toEqual(['configure-front']);
  });

  test('another front has to take it first', () => {
    const desired = withRegistry({ frontImage: 'caddy:2' });
    const { steps } = planInstance(desired, converged());
    const images = steps.flatMap(({ action }) => (action.kind === 'configure-front' ? [action.image] : []));
    expect(images).toEqual(['caddy:2']);
    const files = new Map([...converged().files, ['/etc/gce-registry/front/Caddyfile', 'x']]);
    expect(planInstance(DESIRED, { ...converged(), files }).steps[0]?.action).toMatchObject({ image: null });
  });

  const handedOver = (desired: Desired, facts: Facts) =>
    planInstance(desired, facts).steps.flatMap(({ action }) =>
      action.kind === 'start-containers' && action.handOver !== null ? [action.handOver.ports] : [],
    );

  test('a front that runs hands over to another one, by the ports that are wanted', () => {
    const public_ = { loopback: false };
    const both = [
      { port: 5000, ...public_ },
      { port: 18080, ...public_ },
    ];
    expect(handedOver(withRegistry({ frontImage: 'caddy:2' }), converged())).toEqual([both]);
    const moved = withRegistry({ port: 5001 });
    expect(handedOver(moved, converged())).toEqual([[{ port: 5001, ...public_ }, both[1]]]);
    const hidden = withRegistry({ frontImage: 'caddy:2', loopback: true });
    expect(handedOver(hidden, converged())[0]?.map(({ loopback }) => loopback)).toEqual([true, true]);
  });

  test.each<[string, Partial<Facts>]>([
    ['the front is stopped', container('front', { state: 'exited' })],
    ['the registry is stopped', container('registry', { state: 'exited' })],
    ['the registry is unhealthy', container('registry', { health: 'unhealthy' })],
  ])('there is nobody to hand over to or for: %s', (_, changes) => {
    const desired = withRegistry({ frontImage: 'caddy:2' });
    expect(handedOver(desired, { ...converged(), ...changes })).toEqual([]);
  });

  test('a second front that a killed run left goes, and is not taken for the front', () => {
    const left = converged().containers.find(({ service }) => service === 'front') as ContainerFacts;
    const containers = [
      { ...left, name: 'gce-registry-front-next', state: 'exited' },
      ...converged().containers,
    ];
    const { steps } = planInstance(DESIRED, { ...converged(), containers });
    expect(steps.map(({ change }) => [change.what, change.from, change.why])).toEqual([
      [
        'containers registry, front, ui',
        'gce-registry-front-next present',
        'it is left from a run that was cut off',
      ],
    ]);
  });

  test('a UI that is no longer wanted goes', () => {
    const desired = withRegistry({ ui: 'none', uiImage: null });
    expect(kinds(desired, converged())).toEqual([
      'write-file',
      'remove-file',
      'configure-front',
      'start-containers',
    ]);
  });

  test('user not in group docker', () => {
    expect(kinds(DESIRED, { ...converged(), userInDockerGroup: false })).toEqual(['add-to-group']);
    expect(kinds(DESIRED, { ...converged(), userInDockerGroup: false, user: 'root' })).toEqual([]);
  });
});

test.each([
  [-3 * 86_400, ["its clock is 3 days behind this runner's"]],
  [7_200, ["its clock is 2 h ahead of this runner's"]],
  [-600, ["its clock is 10 min behind this runner's"]],
  [20, []],
])('a clock that is %d s ahead is worth a note: %j', (clockAhead, notes) => {
  expect(planInstance(DESIRED, { ...converged(), clockAhead }).notes).toEqual(notes);
});
