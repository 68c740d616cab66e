import { compute, patchRule } from './compute';
import { randomImage } from './images';
import {
  action,
  complaints,
  environment,
  lab,
  mutations,
  output,
  type Seen,
  succeeding,
  waitFor,
} from './lab';
import { basics } from './machines';
import { StoredImages } from './stored-images';

// Each fault is reported as what it is, and the check changes nothing of it; with `repair` it mends what a plan can.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let ip: string;

beforeAll(async () => {
  await lab('reset');
  ip = String((await environment()).LAB_INSTANCE_IP);
  const all = { ...(await basics()), 'source-ranges': 'runner, 192.0.2.0/24' };
  await output('runner', 'docker pull -q hello-world');
  await succeeding(all);
  inputs = { ...all, mode: 'health-check' };
});

const errors = ({ annotations }: Seen) =>
  annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');
const warnings = ({ annotations }: Seen) =>
  annotations
    .filter(({ level }) => level === 'warning')
    .map(({ message }) => message)
    .join('\n');

/** A check that mends what it finds, and reports all three: what it found, did and left. */
async function mended(finding: RegExp, done: RegExp): Promise<void> {
  const seen = await succeeding({ ...inputs, repair: 'true' });
  expect(complaints(seen)).toBe('');
  expect(seen.outputs.changed).toBe('true');
  const [, found = '', did = '', left = ''] =
    /#### Found\n([\s\S]*)#### Done\n([\s\S]*)#### Left\n([\s\S]*)/.exec(
      String(seen.outputs['health-report']),
    ) ?? [];
  expect(found).toMatch(finding);
  expect(did).toMatch(done);
  expect(left.trim()).toBe('Nothing.');
  expect(seen.summary).toContain('Before the repair:');
  const after = await succeeding(inputs);
  expect(complaints(after)).toBe('');
  expect(after.outputs.changed).toBe('false');
}

test('healthy: the table in log and summary, the canary gone, nothing changed', async () => {
  const seen = await succeeding(inputs);
  expect(complaints(seen)).toBe('');
  expect(seen.outputs).toMatchObject({ changed: 'false', changes: '[]' });
  for (const name of [
    'Credentials',
    'Firewall',
    'SSH',
    'Docker service',
    'Container registry',
    'Registry API',
    'Web UI',
    'Disk of data',
    'Canary',
  ]) {
    expect(seen.maskedLog).toMatch(new RegExp(`^${name} +healthy `, 'm'));
    expect(seen.summary).toContain(`| ${name} | healthy |`);
  }
  expect(
    await output(
      'registry-1',
      'curl -fsS http://127.0.0.1:5000/v2/gce-registry-action/canary/tags/list || true',
    ),
  ).not.toMatch(/"tags":\[".+"/);
  expect(mutations(seen)).toEqual([
    'DELETE firewalls/registry-1-registry-run-*',
    'POST firewalls',
    'POST instances/registry-1/setMetadata',
    'POST instances/registry-1/setMetadata',
  ]);
});

test('registry container stopped: unhealthy, exit 1', async () => {
  await output('registry-1', 'docker stop gce-registry-registry-1');
  const seen = await action(inputs);
  expect(seen.exitCode).toBe(1);
  expect(seen.outputs.health).toBe('unhealthy');
  expect(errors(seen)).toContain('Container registry: it is exited');
  expect(await output('registry-1', "docker inspect -f '{{.State.Running}}' gce-registry-registry-1")).toBe(
    'false',
  );
  await mended(/Container registry \| unhealthy/, /registry stopped/);
  expect(await output('registry-1', "docker inspect -f '{{.State.Running}}' gce-registry-registry-1")).toBe(
    'true',
  );
});

test('UI stopped: degraded, a warning, exit 0', async () => {
  await output('registry-1', 'docker stop gce-registry-ui-1');
  const seen = await succeeding(inputs);
  expect(seen.outputs.health).toBe('degraded');
  expect(warnings(seen)).toContain('Container ui: it is exited');
  await mended(/Container ui \| degraded/, /ui stopped/);
});

test('a port removed from the rule: drift of the firewall', async () => {
  await patchRule('registry-1-registry', { allowed: [{ IPProtocol: 'tcp', ports: ['5000'] }] });
  const seen = await succeeding(inputs);
  expect(seen.outputs.health).toBe('degraded');
  expect(warnings(seen)).toMatch(
    /Firewall: a run would change: ports of rule registry-1-registry: tcp:5000 → tcp:5000,18080/,
  );
  expect(JSON.parse(String(seen.outputs.changes))).toMatchObject([{ target: 'firewall' }]);
  await mended(/Firewall \| degraded/, /ports of rule/);
  const rule = await compute<{ allowed: unknown }>('GET', 'global/firewalls/registry-1-registry');
  expect(rule.allowed).toEqual([{ IPProtocol: 'tcp', ports: ['5000', '18080'] }]);
});

describe('an instance without the network tag', () => {
  const VM = 'zones/europe-west1-b/instances/registry-1';
  const tags = async () => (await compute<{ tags: { items?: string[] } }>('GET', VM)).tags.items ?? [];
  const DRIFT = /Firewall: a run would change: .*network tag registry-1-registry/;

  beforeAll(async () => {
    const { tags } = await compute<{ tags: { items: string[]; fingerprint: string } }>('GET', VM);
    const items = tags.items.filter((tag) => tag !== 'registry-1-registry');
    const { name } = await compute<{ name: string }>('POST', `${VM}/setTags`, { ...tags, items });
    await compute('POST', `zones/europe-west1-b/operations/${name}/wait`);
  });

  test('has it for the time of the check alone, and it is reported each time', async () => {
    for (let check = 1; check <= 2; check++) {
      const seen = await succeeding(inputs);
      expect(seen.outputs.health).toBe('degraded');
      expect(warnings(seen)).toMatch(DRIFT);
      expect(seen.maskedLog).toMatch(/^Canary +healthy /m);
      expect(await tags()).not.toContain('registry-1-registry');
    }
  });

  test('has it for as long as one of several checks needs it', async () => {
    const both = await Promise.all([succeeding(inputs), succeeding(inputs)]);
    for (const seen of both) {
      expect(warnings(seen)).toMatch(DRIFT);
      expect(seen.maskedLog).toMatch(/^Canary +healthy /m);
    }
    expect(await tags()).not.toContain('registry-1-registry');
  });

  test('keeps it where a run sets the instance up meanwhile', async () => {
    await Promise.all([succeeding(inputs), succeeding({ ...inputs, mode: 'bootstrap' })]);
    expect(await tags()).toContain('registry-1-registry');
    expect(complaints(await succeeding(inputs))).toBe('');
  });
});

test('a container that keeps restarting is unhealthy, with the number of restarts', async () => {
  // The volume's own directory as a file: the registry fails at once, each time.
  await output(
    'registry-1',
    `docker stop gce-registry-registry-1
     cd "$(docker volume inspect -f '{{.Mountpoint}}' gce-registry_registry-data)"; mkdir -p docker; mv docker /root/kept
     docker update --restart always gce-registry-registry-1
     docker cp /bin/false gce-registry-registry-1:/bin/registry; docker start gce-registry-registry-1 || true`,
  );
  await waitFor(
    'registry-1',
    "docker inspect -f '{{.RestartCount}}' gce-registry-registry-1 | grep -qE '^[1-9]'",
  );
  const seen = await action(inputs);
  expect(seen.exitCode).toBe(1);
  expect(errors(seen)).toMatch(/Container registry: (it keeps restarting|running, restarted)/);
  await output(
    'registry-1',
    `docker rm -f gce-registry-registry-1
     cd "$(docker volume inspect -f '{{.Mountpoint}}' gce-registry_registry-data)"; rm -rf docker; mv /root/kept docker`,
  );
  await mended(/Container registry \| unhealthy/, /containers registry/);
});

describe('a data disk that is nearly full', () => {
  const moved = () => ({ ...inputs, 'data-path': '/mnt/small/registry' });
  const tags = () => output('registry-1', 'curl -sS http://127.0.0.1:5000/v2/old/app/tags/list');

  beforeAll(async () => {
    // A small disk of its own under data-path, filled to the brim: with images, and with something else.
    await output(
      'registry-1',
      `mkdir -p /mnt/small; mount -t tmpfs -o size=64m tmpfs /mnt/small
       docker rm -f gce-registry-registry-1 gce-registry-ui-1
       docker volume rm gce-registry_registry-data
       rm /etc/gce-registry/data-id`,
    );
    await succeeding({ ...moved(), mode: 'bootstrap' });
    const store = new StoredImages();
    for (const age of [10, 20, 40, 50, 60]) {
      store.tag('old/app', `t${age}`, store.image('old/app', [store.layer(5_000_000)], age), age);
    }
    await store.put('registry-1', '/mnt/small/registry');
    await output(
      'registry-1',
      'head -c 100M /dev/zero >/mnt/small/fill 2>/dev/null || true; truncate -s -1M /mnt/small/fill',
    );
  });

  test('is reported with its numbers, and with what rules would free; no plan makes room without a rule', async () => {
    await output('registry-1', 'docker stop gce-registry-ui-1');
    const seen = await action({ ...moved(), repair: 'true' });
    expect(seen.exitCode).toBe(1);
    expect(errors(seen)).toMatch(
      /Disk of data: [0-9] % of 0\.1 GiB.*`mode: prune` would free, with keep-newest: 3, 10\.\d MB; with keep-within: 30d, 15\.\d MB/,
    );
    const report = String(seen.outputs['health-report']);
    expect(report).toMatch(
      /#### Found\n[\s\S]*Container ui[\s\S]*#### Done\n[\s\S]*#### Left\n[\s\S]*Disk of data/,
    );
    expect(report).not.toMatch(/#### Left\n[\s\S]*Container ui/);
    expect(await output('registry-1', "docker inspect -f '{{.State.Running}}' gce-registry-ui-1")).toBe(
      'true',
    );
    expect(await tags()).toContain('t60');
  });

  test('a deploy says what rules would free, whether there is room enough for its image or not', async () => {
    const warnings = ({ annotations }: Seen) =>
      annotations.flatMap(({ level, message }) => (level === 'warning' ? [message] : [])).join('\n');
    const small = { ...moved(), mode: 'deploy', image: 'hello-world', tags: 'small/app:1' };
    expect(warnings(await succeeding(small))).toMatch(
      /^The disk of the registry has little room left: `mode: prune` would free, with keep-newest: 3/m,
    );
    await randomImage('large:1', 1, 20);
    const seen = await action({ ...small, image: 'large:1', tags: 'large/app:1', 'keep-newest': '1' });
    expect(errors(seen)).toMatch(/^Registry disk is full: /);
    expect(warnings(seen)).toMatch(/by the rules of this run `mode: prune` would free 20\.\d MB/);
  });

  test('with rules a repair prunes it', async () => {
    const seen = await action({ ...moved(), repair: 'true', 'keep-newest': '1' });
    expect([complaints(seen), seen.exitCode]).toEqual(['', 0]);
    expect(String(seen.outputs['health-report'])).toMatch(
      /#### Found\n[\s\S]*Disk of data[\s\S]*#### Done\n[\s\S]*images[\s\S]*#### Left\n\s*Nothing/,
    );
    expect(seen.outputs.deleted).toBe('4');
    expect(JSON.parse(await tags()).tags).toEqual(['t10']);
  });
});

test('an instance that does not answer is unhealthy, and the rest is still reported', async () => {
  const seen = await action({ ...inputs, 'ssh-host-key': `SHA256:${'A'.repeat(43)}` });
  expect(seen.exitCode).toBe(1);
  expect(errors(seen)).toContain('SSH: Wrong host key');
  expect(seen.maskedLog).toMatch(/^Firewall +/m);
  expect(ip).not.toBe('');
});
