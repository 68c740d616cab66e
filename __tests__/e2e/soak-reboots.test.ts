import { compute, rules } from './compute';
import { containerOf, lab, output, run, succeeding, waitFor } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, served } from './machines';
import { turns } from './scale';

/**
 * Reboots and runs in a loop, each with an image more: all images are served after each reboot, and nothing else grows,
 * on the instance, in the project or on the runner.
 */
jest.setTimeout(3_600_000);

const TURNS = turns(3, 50);
/** For the logs of containers and the engine's own records, which are limited and far below this. */
const LEEWAY_KIB = 4096;

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  inputs = await basics();
  await output('runner', 'docker pull -q busybox');
  before = await snapshotRunner();
  await succeeding({ ...inputs, mode: 'bootstrap' });
});

afterAll(() => lab('fault', 'clear'));

/** Makes an image that no other one shares a layer with, of 1 MB. */
async function build(name: string): Promise<void> {
  await output(
    'runner',
    `printf 'FROM busybox\\nRUN head -c 1000000 /dev/urandom >/data\\n' | DOCKER_BUILDKIT=0 docker build -q --no-cache -t ${name} -`,
  );
}

/** What was in memory is gone, and what is started at boot starts. */
async function reboot(): Promise<void> {
  await output('registry-1', 'touch /run/before-the-reboot');
  await run('docker', ['restart', await containerOf('registry-1')]);
  await waitFor('registry-1', '[ ! -e /run/before-the-reboot ] && systemctl is-system-running --quiet', 120);
  await waitFor(
    'registry-1',
    'curl -fsS http://127.0.0.1:5000/v2/ && curl -fsS http://127.0.0.1:18080/',
    120,
  );
}

/** Counts of all that a run could leave behind or double. */
async function counts(): Promise<Record<string, number>> {
  const lines = await output(
    'registry-1',
    `count() { printf '%s %s\\n' "$1" "$(wc -l)"; }
     docker ps -aq | count containers
     docker volume ls -q | count volumes
     docker network ls -q | count networks
     docker image ls -aq | count images
     find /tmp /etc/gce-registry /etc/docker /etc/apt /usr/local -type f | count files
     find / -xdev -name '*.gce-registry.*' | count temporary
     iptables-save | grep -v '^[#:]' | count iptables
     { ip -o link | grep -v veth; ip route; } | count network
     grep -c . /home/registry-action/.ssh/authorized_keys | sed 's/^/keys /' || true
     getent passwd | count users
     systemctl list-units --no-legend --state=failed | count failed`,
  );
  const found = Object.fromEntries(
    lines.split('\n').flatMap((line) => {
      const [, name, value] = /^(\w+) (\d+)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, Number(value)]];
    }),
  );
  const { metadata, tags } = await compute<{
    metadata: { items?: { key: string; value: string }[] };
    tags: { items?: string[] };
  }>('GET', 'zones/europe-west1-b/instances/registry-1');
  const runner = await output(
    'runner',
    `docker ps -aq | wc -l; docker volume ls -q | wc -l
     { find /tmp /run/gce-registry-action /home/runner/work -path '*/_actions' -prune -o -type f -print 2>/dev/null || true; } | wc -l`,
  );
  return {
    ...found,
    metadata: metadata.items?.length ?? 0,
    tags: tags.items?.length ?? 0,
    rules: (await rules()).length,
    runner: runner.split('\n').reduce((sum, line) => sum + Number(line), 0),
  };
}

/** Kibibytes of what must not grow: everything that Docker keeps but the registry's data, settings, lists of packages. */
async function diskUse(): Promise<Record<string, number>> {
  const lines = await output(
    'registry-1',
    `kib() { printf '%s %s\\n' "$1" "$(du -skxc "\${@:2}" 2>/dev/null | tail -n 1 | cut -f 1)"; }
     kib docker "--exclude=*registry-data" /var/lib/docker
     kib containerd /var/lib/containerd
     kib etc /etc
     kib apt /var/lib/apt /var/cache/apt /var/lib/dpkg`,
  );
  return Object.fromEntries(
    lines.split('\n').map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]),
  );
}

test(`${TURNS} times a reboot and a run with one image more: none is lost, and nothing else grows`, async () => {
  const digests: Record<string, string> = {};
  let first: { counts: Record<string, number>; disk: Record<string, number> } | null = null;
  for (let turn = 1; turn <= TURNS; turn++) {
    const name = `soak-${turn}:1`;
    await build(name);
    const seen = await succeeding({ ...inputs, image: name, tags: name });
    digests[name] = String(seen.outputs.digest);
    expect(seen.outputs.changed).toBe('false');
    expect(seen.ssh).toEqual({ connections: 1, commands: 1 });

    await reboot();
    expect(await served('registry-1', Object.keys(digests))).toEqual(digests);
    const now = { counts: await counts(), disk: await diskUse() };
    first ??= now;
    expect(now.counts).toEqual(first.counts);
    const { disk } = first;
    const grown = Object.entries(now.disk).filter(([where, kib]) => kib > (disk[where] ?? 0) + LEEWAY_KIB);
    expect(grown).toEqual([]);
    await expectNothingLeft(before);
  }
  // One more run finds all as it should be, after the last reboot as well.
  expect((await succeeding({ ...inputs, mode: 'bootstrap' })).outputs.changed).toBe('false');
});
