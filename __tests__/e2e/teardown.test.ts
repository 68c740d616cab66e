import { compute, rules } from './compute';
import { cutOff } from './cutting-off';
import { lab, mutations, output, succeeding } from './lab';
import { type RunnerSnapshot, snapshotRunner, sshKeys } from './left-over';
import { basics, served } from './machines';
import { turns } from './scale';

// What the action made goes, and nothing else: files, users, containers, rules, tags and metadata are compared with before.

jest.setTimeout(turns(300_000, 900_000));

let inputs: Record<string, string>;
let machine: Record<string, string>;
let project: unknown;
let runner: RunnerSnapshot;

const CLOUD = 'zones/europe-west1-b/instances/registry-1';

/** Rules, tags and metadata, but for what changes with each write. */
async function projectNow(): Promise<unknown> {
  const { tags, metadata } = await compute<{
    tags: { items?: string[] };
    metadata: { items?: { key: string; value: string }[] };
  }>('GET', CLOUD);
  const known = (metadata.items ?? []).map(({ key, value }) => `${key}=${value}`).sort();
  return { rules: (await rules()).map(({ name }) => name).sort(), tags: tags.items ?? [], metadata: known };
}

/** What there is of Docker, files and users on the instance, once there is an engine. */
async function machineNow(): Promise<Record<string, string>> {
  const text = (command: string) => output('registry-1', command);
  return {
    // Names of users and groups alone: the lines of adduser count up.
    users: await text('cut -d: -f1,6,7 /etc/passwd | sort; getent group docker google-sudoers; ls /home'),
    files: await text(
      `find /etc /usr/local /root /home -xdev -type f -not -path '*/.cache/*' -print0 |
       sort -z | xargs -0 sha256sum | grep -vE ' /etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$| /etc/\\.pwd\\.lock$'`,
    ),
    containers: await text("docker ps -a --format '{{.Names}} {{.State}}' | sort"),
    networks: await text("docker network ls --format '{{.Name}}' | sort"),
    volumes: await text("docker volume ls --format '{{.Name}}' | sort"),
    packages: await text('dpkg-query --show'),
    rules: await text(
      "iptables -S -t nat | grep -c gce-registry || true; iptables -S | grep -cE '5000|18080' || true",
    ),
    // But for the resolver of the lab's machines, on another port each time they start.
    ports: await text("ss -Hltn | awk '{print $4}' | grep -v '^127.0.0.11:' | sort -u"),
  };
}

beforeAll(async () => {
  await lab('reset');
  inputs = { ...(await basics()), 'source-ranges': 'runner, 192.0.2.0/24', tls: 'private-ca' };
  await output('runner', 'docker pull -q hello-world');
  // Docker stays, so it is there from the beginning; and beside it what is somebody else's.
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await succeeding({ ...inputs, mode: 'teardown', 'delete-data': 'true' });
  await output(
    'registry-1',
    'docker pull -q hello-world && docker run --name mine hello-world && docker volume create mine && docker network create mine',
  );
  [machine, project, runner] = await Promise.all([machineNow(), projectNow(), snapshotRunner()]);
});

test('a dry run shows what would go, and nothing goes', async () => {
  const { outputs } = await succeeding(inputs);
  const before = await served('registry-1', ['test:test']).catch(() => null);
  const key = await output('registry-1', 'cat /etc/gce-registry/ca/ca.crt');
  expect(outputs.changed).toBe('true');
  const dry = await succeeding({ ...inputs, mode: 'teardown', 'dry-run': 'true' });
  expect(JSON.parse(String(dry.outputs.changes))).toEqual(
    expect.arrayContaining([expect.objectContaining({ what: 'rule registry-1-registry', to: null })]),
  );
  expect(mutations(dry)).toEqual([]);
  expect(await output('registry-1', 'cat /etc/gce-registry/ca/ca.crt')).toBe(key);
  expect(await served('registry-1', ['test:test']).catch(() => null)).toEqual(before);
});

test('all that the action made goes, and the images stay', async () => {
  const seen = await succeeding({ ...inputs, mode: 'teardown' });
  expect(seen.summary).toContain('Access was taken away');
  expect(seen.summary).toContain('the images stay in');
  expect(await projectNow()).toEqual(project);
  expect(await sshKeys()).toEqual([]);
  const { volumes, ...others } = machine;
  const { volumes: left, ...now } = await machineNow();
  expect(now).toEqual(others);
  expect(left?.split('\n').sort()).toEqual(
    [...(volumes ?? '').split('\n'), 'gce-registry_registry-data'].sort(),
  );
  expect(await snapshotRunner()).toEqual(runner);
});

test('a second one changes nothing, and a deploy finds the images again', async () => {
  const again = await succeeding({ ...inputs, mode: 'teardown' });
  expect(again.outputs.changed).toBe('false');
  const back = await succeeding(inputs);
  // By the digest that the first deploy pushed: the run says that it is there already.
  expect(back.maskedLog).toMatch(/leads to this image already/);
});

test('with delete-data the images go too', async () => {
  await succeeding({ ...inputs, mode: 'teardown', 'delete-data': 'true' });
  expect(await machineNow()).toEqual(machine);
  expect(await projectNow()).toEqual(project);
});

test('images in a directory go by their mark, and what lies beside them stays', async () => {
  const there = { ...inputs, 'data-path': '/srv/images' };
  await succeeding(there);
  await output('registry-1', 'echo mine >/srv/images/notes; mkdir -p /srv/other/docker');
  await succeeding({ ...there, mode: 'teardown', 'delete-data': 'true' });
  expect(await output('registry-1', 'cd /srv && find . -mindepth 1 | sort')).toBe(
    './images\n./images/notes\n./other\n./other/docker',
  );
  await output('registry-1', 'rm -r /srv/images /srv/other');
  expect(await machineNow()).toEqual(machine);
});

describe('cut off by power', () => {
  afterAll(() => lab('fault', 'clear'));

  const STACK = ['step_remove_stack', [1, 5, 10, 15, 20, 25, 30, 35, 40]] as const;
  const LOGIN = ['step_remove_login', [1, 2, 3, 4, 5]] as const;
  const places = turns(
    [['step_remove_stack', [15]] as const, ['step_remove_login', [1]] as const],
    [STACK, LOGIN],
  );

  test.each(places.flatMap(([name, commands]) => commands.map((command) => ({ name, command }))))(
    'in $name, at command $command: the next one ends it, and the machine is as before',
    async ({ name, command }) => {
      await succeeding({ ...inputs, mode: 'bootstrap' });
      // The key of a run without a post step would keep the login until it has expired.
      const end = { ...inputs, mode: 'teardown', 'delete-data': 'true' };
      await cutOff(end, { name, argument: '' }, command, 'power', { seconds: 60, flags: [] });
      await lab('fault', 'clear');
      const { outputs } = await succeeding(end);
      expect(outputs.changed).toBe('true');
      expect(await machineNow()).toEqual(machine);
      expect(await projectNow()).toEqual(project);
      expect((await succeeding(end)).outputs.changed).toBe('false');
    },
  );
});
