import { cutOff, type Kill, type Step, stepsOfPlan } from './cutting-off';
import { lab, output, shell, succeeding } from './lab';
import { basics, fingerprint, ownLogin, served } from './machines';
import { turns } from './scale';

// The set-up of an instance is cut off in each of its steps in turn, and each time the next run gets past that step.
// The steps are read from the script as it arrived on the instance: a new one is covered by itself.

jest.setTimeout(1_800_000);

/** Where a step is cut off: before its first command, or deeper, until after its last. */
interface Cut {
  readonly kill: Kill;
  readonly command: number;
}
const END = 1_000_000;
const cuts = (kill: Kill, commands: readonly number[]): Cut[] =>
  commands.map((command) => ({ kill, command }));

/** The set-up is cut off once in each step: by these in turn. */
interface Pass {
  readonly name: string;
  readonly cuts: readonly [Cut, ...Cut[]];
}
const alone = (cut: Cut): Pass => ({ name: `${cut.kill}, at command ${cut.command}`, cuts: [cut] });
const PASSES: readonly Pass[] = turns<readonly Pass[]>(
  [
    ...cuts('power', [1]).map(alone),
    {
      name: 'script and sshd in turn',
      cuts: [
        { kill: 'script', command: 7 },
        { kill: 'sshd', command: 3 },
      ],
    },
  ],
  [
    ...cuts('power', [1, 7, END]),
    ...cuts('script', [1, 3, 7, 15, 40, END]),
    ...cuts('sshd', [1, 7, END]),
    ...cuts('shell', [1, 7, 40]),
  ].map(alone),
);

const FROM_NOTHING = [
  'step_repair_packages',
  'step_install_packages',
  'step_remove_file',
  'step_install_keyring',
  'step_write_file',
  'step_remove_packages',
  'step_install_engine',
  'step_add_to_group',
  'step_pull_images',
  'step_make_ca',
  'step_make_certificate',
  'step_configure_front',
  'step_write_users',
  'step_start_containers',
  'step_mark_data',
];

let inputs: Record<string, string>;

/** Of the steps that are the same function, the first. */
const once = (steps: readonly Step[]): readonly Step[] =>
  steps.filter((step, index) => steps.findIndex(({ name }) => name === step.name) === index);

/**
 * Cuts the set-up off in each of its steps, each time after what the cut before has left; the last run is not cut off.
 * In `npm test` the cuts are made in one step of each function; those of `elsewhere` are left out.
 */
async function cutOffInEachStep(
  { cuts: [first, ...others] }: Pass,
  elsewhere: readonly string[] = [],
): Promise<string[]> {
  const inTurn = [first, ...others];
  const steps = await stepsOfPlan(inputs);
  const here = steps.filter(({ name }) => !elsewhere.includes(name));
  for (const [index, step] of turns(once(here), steps).entries()) {
    const { kill, command } = inTurn[index % inTurn.length] ?? first;
    // The settings are written by then, so the engine has them when it starts after the power cut.
    if (kill === 'power' && command === END && step.name === 'step_reload_engine') continue;
    await cutOff(inputs, step, command, kill);
  }
  await lab('fault', 'clear');
  await succeeding(inputs);
  return steps.map(({ name }) => name);
}

/** Nothing half done is left, and there is nothing to do. */
async function expectWhole(services: readonly string[]): Promise<void> {
  expect(await output('registry-1', 'dpkg --audit; dpkg -l | grep -E "^i[^i]" || true')).toBe('');
  expect(
    await output(
      'registry-1',
      "docker compose -p gce-registry ps --all --format '{{.Service}} {{.State}}' | sort",
    ),
  ).toBe(services.map((service) => `${service} running`).join('\n'));
  const mirror = String(inputs['registry-mirrors']);
  expect(await output('registry-1', "docker info -f '{{json .RegistryConfig.Mirrors}}'")).toContain(mirror);
  expect(await output('registry-1', 'find / -xdev -name ".*.gce-registry.*"')).toBe('');
  const state = await fingerprint();
  const again = await succeeding(inputs);
  expect(again.outputs.changed).toBe('false');
  expect(again.ssh.commands).toBe(1);
  expect(await fingerprint()).toBe(state);
}

afterAll(() => lab('fault', 'clear'));

describe("with Docker's packages, from nothing", () => {
  /** Digests of the images that were pushed before. */
  let before: Record<string, string>;

  beforeAll(async () => {
    await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
    const own = await ownLogin();
    const mirrors = { 'registry-mirrors': 'https://mirror.gcr.io' };
    const all = { ...(await basics()), ...own, ...mirrors };
    await succeeding({ ...all, tags: 'kept:1,kept:2' });
    before = await served('registry-1', ['kept:1', 'kept:2']);
    // Images are read without a login, so that this story can look at them.
    const logins = { username: 'ci', password: 'Killed-Secret-1', 'anonymous-pull': 'true' };
    inputs = { ...all, ...logins, mode: 'bootstrap', tls: 'private-ca' };
  });

  /** Everything is to be done again, and more than on a bare machine; only the data of Docker is still there. */
  const unmake = () =>
    output(
      'registry-1',
      `docker rm -f gce-registry-registry-1 gce-registry-front-1 gce-registry-ui-1
       docker image rm registry:3 caddy:2.11.9 joxit/docker-registry-ui:2.6.0
       gpasswd -d deployer docker
       export DEBIAN_FRONTEND=noninteractive
       apt-get remove -y -qq docker-ce docker-ce-cli containerd.io docker-compose-plugin ca-certificates
       rm -rf /etc/gce-registry /etc/docker /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.sources
       echo 'deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian trixie stable' >/etc/apt/sources.list.d/docker.list
       mkdir -p /tmp/podman/DEBIAN /tmp/podman/usr/bin && touch /tmp/podman/usr/bin/docker
       printf '%s\\n' 'Package: podman-docker' 'Version: 5' 'Architecture: all' 'Maintainer: nobody <nobody@localhost>' \\
         'Description: stands in the way' >/tmp/podman/DEBIAN/control
       dpkg-deb --build /tmp/podman /tmp/podman.deb && dpkg -i /tmp/podman.deb
       cd /tmp && apt-get download -q sl && dpkg --unpack sl*.deb`,
    );

  async function expectKept(): Promise<void> {
    expect(await served('registry-1', ['kept:1', 'kept:2'])).toEqual(before);
    await expectWhole(['front', 'registry', 'ui']);
  }

  test.each(PASSES)('$name of each step: the next run goes on from there', async (pass) => {
    await unmake();
    expect(await cutOffInEachStep(pass)).toEqual(expect.arrayContaining(FROM_NOTHING));
    await expectKept();
  });

  test('a container that Compose left under a passing name, not started, is no obstacle', async () => {
    await output(
      'registry-1',
      `docker stop -t 1 gce-registry-registry-1
       docker rename gce-registry-registry-1 0123456789ab_gce-registry-registry-1`,
    );
    await succeeding(inputs);
    await expectKept();
  });

  test('a keyring that was cut off is fetched again, and half-written files beside it are none to apt', async () => {
    await output(
      'registry-1',
      `truncate -s 1000 /etc/apt/keyrings/docker.asc
       cp /etc/apt/keyrings/docker.asc /etc/apt/keyrings/.docker.asc.gce-registry.Ab3dEf7h
       printf 'Types: deb\\nURIs: http' >/etc/apt/sources.list.d/.docker.sources.gce-registry.Ab3dEf7h
       DEBIAN_FRONTEND=noninteractive apt-get remove -y -qq docker-compose-plugin`,
    );
    const update = await output('registry-1', 'apt-get update 2>&1 || true');
    expect(update).toContain('download.docker.com');
    expect(update).not.toMatch(/Malformed (stanza|entry|line)|ignoring file/i);
    await succeeding(inputs);
    await output('registry-1', 'apt-get update -o APT::Update::Error-Mode=any');
    expect((await shell('registry-1', 'ls -A /etc/apt/keyrings | grep gce-registry')).stdout).toBe('');
  });
});

describe("with the distribution's packages, on an instance that lacks a little", () => {
  beforeAll(async () => {
    await lab('reset', 'registry-1', '--kind', 'debian-12');
    inputs = {
      ...(await basics()),
      ...(await ownLogin()),
      mode: 'bootstrap',
      'docker-source': 'distro',
      'data-path': '/mnt/registry',
      'registry-mirrors': 'https://mirror.gcr.io',
      ui: 'none',
    };
    await succeeding(inputs);
  });
  afterAll(() => lab('reset', 'registry-1', '--kind', 'debian-13'));

  /** What the other story has no step for; the engine runs with the wrong settings, or not at all. */
  const UNMAKINGS = [
    {
      name: 'Compose, a directory and settings',
      script: `docker rm -f gce-registry-registry-1
        rm -rf /mnt/registry /etc/gce-registry/data-id /usr/local/lib/docker
        # Of a key that is missing the engine keeps the value.
        echo '{"registry-mirrors": []}' >/etc/docker/daemon.json
        systemctl reload docker
        while docker info | grep mirror.gcr.io >/dev/null; do sleep 0.1; done
        touch /etc/gce-registry/compose.override.yaml`,
      steps: [
        'step_install_compose',
        'step_make_directory',
        'step_mark_data',
        'step_pull_images',
        'step_reload_engine',
        'step_remove_file',
        'step_start_containers',
        'step_write_file',
      ],
    },
    {
      name: 'its engine',
      script: `docker rm -f gce-registry-registry-1
        systemctl disable --now docker.service docker.socket`,
      steps: ['step_pull_images', 'step_start_containers', 'step_start_engine'],
    },
  ];

  test.each(
    UNMAKINGS.flatMap((unmaking) =>
      PASSES.map((pass) => ({ unmaking, pass, of: unmaking.name, by: pass.name })),
    ),
  )('without $of: $by of each step: the next run goes on from there', async ({ unmaking, pass }) => {
    await output('registry-1', unmaking.script);
    expect((await cutOffInEachStep(pass, FROM_NOTHING)).sort()).toEqual(unmaking.steps);
    await expectWhole(['front', 'registry']);
  });
});
