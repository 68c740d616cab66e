import { action, lab, output, type Seen, shell, succeeding, waitFor } from './lab';
import { basics, fingerprint, ownLogin, served } from './machines';
import { turns } from './scale';

// The set-up of an instance is cut off in each of its steps in turn, and each time the next run gets past that step.
// The steps are read from the script as it arrived on the instance: a new one is covered by itself.

jest.setTimeout(900_000);

const FOLDER = '/var/lib/gcelab/pause';
const MIRROR = 'https://mirror.gcr.io';
let inputs: Record<string, string>;
/** Digests of the images that were pushed before. */
let before: Record<string, string>;
let turn = 0;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const own = await ownLogin();
  inputs = { ...(await basics()), ...own, 'registry-mirrors': MIRROR };
  await succeeding({ ...inputs, tags: 'kept:1,kept:2' });
  before = await served('registry-1', ['kept:1', 'kept:2']);
});
afterAll(() => lab('fault', 'clear'));

/** Everything is to be done again, and more than on a bare machine; only the data of Docker is still there. */
async function unmake(): Promise<void> {
  await output(
    'registry-1',
    `docker rm -f gce-registry-registry-1 gce-registry-ui-1
     docker image rm registry:3 joxit/docker-registry-ui:2.6.0
     gpasswd -d deployer docker
     export DEBIAN_FRONTEND=noninteractive
     apt-get remove -y -qq docker-ce docker-ce-cli containerd.io docker-compose-plugin ca-certificates
     rm -rf /etc/gce-registry /etc/docker /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.sources
     echo 'deb https://download.docker.com/linux/debian trixie stable' >/etc/apt/sources.list.d/docker.list
     mkdir -p /tmp/podman/DEBIAN /tmp/podman/usr/bin && touch /tmp/podman/usr/bin/docker
     printf '%s\\n' 'Package: podman-docker' 'Version: 5' 'Architecture: all' 'Maintainer: nobody <nobody@localhost>' \\
       'Description: stands in the way' >/tmp/podman/DEBIAN/control
     dpkg-deb --build /tmp/podman /tmp/podman.deb && dpkg -i /tmp/podman.deb
     cd /tmp && apt-get download -q sl && dpkg --unpack sl*.deb`,
  );
}

/** A step of the script: its function, and the first argument where that tells it from others. */
interface Step {
  readonly name: string;
  readonly argument: string;
}

/** The steps of the plan that a run sends; the run is killed before the first of them. */
async function stepsOfPlan(): Promise<Step[]> {
  await pauseAt({ name: 'any', argument: '' }, 1);
  const run = action({ ...inputs, mode: 'bootstrap' });
  await reached(run);
  const plan = await output('registry-1', `cat ${FOLDER}/plan`);
  await kills.script();
  await killRun(run);
  return [...plan.matchAll(/^ +step \d+ (step_\w+)(?: '([^' ]*)')?/gm)].map(
    ([, name = '', argument = '']) => ({
      name,
      argument: name === 'step_write_file' ? argument : '',
    }),
  );
}

async function pauseAt({ name, argument }: Step, command: number): Promise<void> {
  turn += 1;
  await lab('fault', 'pause-at-step', `t${turn}`, String(command), `${name} ${argument}`.trim());
}

/** Waits until the script of the run stands where it is to be killed. */
async function reached(run: Promise<Seen>): Promise<void> {
  let ended: Seen | null = null;
  run.then((seen) => {
    ended = seen;
  });
  while ((await shell('registry-1', `test -s ${here()}`)).status !== 0) {
    const seen = ended as Seen | null;
    if (seen !== null) throw new Error(`the run did not come to turn ${turn}:\n${seen.maskedLog}`);
  }
}

/** The runner dies as well: the same run would connect again and go on, which is the story of faults-wire. */
async function killRun(run: Promise<Seen>): Promise<void> {
  let over = false;
  run.then(() => {
    over = true;
  });
  // It may not have begun yet, where what an earlier one left behind was the first to come to the place.
  while (!over) await shell('runner', "pkill -KILL -f 'node .*/dist/index.js'");
}

const here = () => `${FOLDER}/reached.t${turn}`;

/** How the set-up is cut off while it stands still. */
const kills = {
  /** All that the run has started on the instance. */
  script: () => output('registry-1', `kill -KILL -- -"$(ps -o pgid= "$(cat ${here()})" | tr -d ' ')"`),
  /** The shell alone: what it had started goes on after the pause, and keeps the lock until it ends. */
  shell: () => output('registry-1', `kill -KILL "$(cat ${here()})"`),
  power: () => lab('fault', 'power-cut'),
  /** The script goes on after the pause, to the end of its step at least. */
  sshd: async () => {
    await output(
      'registry-1',
      `systemctl stop ssh.service
       pkill -KILL '^sshd' || true
       systemctl start ssh.service`,
    );
  },
};
type Kill = keyof typeof kills;

/** Before its first command, and deeper and deeper until after its last. */
const DEPTHS = [1, 3, 7, 15, 40, 1_000_000];
const KILLS: readonly Kill[] = ['script', 'power', 'sshd'];

interface Killing {
  readonly step: Step;
  readonly command: number;
  readonly kill: Kill;
}

/** Each step, but only one of those that a function takes: without power before its first command, then killed in its midst. */
function someKillings(steps: readonly Step[]): Killing[] {
  const first = steps.filter((step, index) => steps.findIndex(({ name }) => name === step.name) === index);
  return first.flatMap((step) => [
    { step, command: 1, kill: 'power' as const },
    { step, command: 7, kill: 'script' as const },
  ]);
}

/** Each step with each kill at each depth. The last depth comes last: the step is done then. */
function allKillings(steps: readonly Step[]): Killing[] {
  return steps.flatMap((step) =>
    DEPTHS.flatMap((command) => {
      const last = command === DEPTHS.at(-1);
      return (last ? ['power' as const] : [...KILLS, 'shell' as const]).map((kill) => ({
        step,
        command,
        kill,
      }));
    }),
  );
}

test('killed, without power or without sshd in each step in turn: the next run goes on from there', async () => {
  await unmake();
  const steps = await stepsOfPlan();
  expect(steps.length).toBeGreaterThan(10);
  let last: Kill | null = null;
  for (const { step, command, kill } of turns(someKillings, allKillings)(steps)) {
    // What is left of the script holds the lock as long as it stands still: the next run waits. The new pause lets it go.
    const held = last === 'shell' || last === 'sshd';
    if (!held) await pauseAt(step, command);
    const run = action({ ...inputs, mode: 'bootstrap' }, ['--no-post']);
    if (held) {
      await waitFor('registry-1', 'pgrep -f "^flock --timeout 900"');
      await pauseAt(step, command);
    }
    await reached(run);
    await kills[kill]();
    await killRun(run);
    last = kill;
  }
  await lab('fault', 'clear');
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await expectWhole();
});

/** The instance is as if nothing had happened. */
async function expectWhole(): Promise<void> {
  expect(await served('registry-1', ['kept:1', 'kept:2'])).toEqual(before);
  expect(await output('registry-1', 'dpkg --audit; dpkg -l | grep -E "^i[^i]" || true')).toBe('');
  expect(
    await output(
      'registry-1',
      "docker compose -p gce-registry ps --all --format '{{.Service}} {{.State}}' | sort",
    ),
  ).toBe('registry running\nui running');
  expect(await output('registry-1', "docker info -f '{{json .RegistryConfig.Mirrors}}'")).toContain(MIRROR);
  expect(await output('registry-1', 'find / -xdev -name ".*.gce-registry.*"')).toBe('');
  const state = await fingerprint();
  const again = await succeeding({ ...inputs, mode: 'bootstrap' });
  expect(again.outputs.changed).toBe('false');
  expect(again.ssh.commands).toBe(1);
  expect(await fingerprint()).toBe(state);
}

test('a container that Compose left under a passing name, not started, is no obstacle', async () => {
  await output(
    'registry-1',
    `docker stop -t 1 gce-registry-registry-1
     docker rename gce-registry-registry-1 0123456789ab_gce-registry-registry-1`,
  );
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await expectWhole();
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
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await output('registry-1', 'apt-get update -o APT::Update::Error-Mode=any');
  expect((await shell('registry-1', 'ls -A /etc/apt/keyrings | grep gce-registry')).stdout).toBe('');
});
