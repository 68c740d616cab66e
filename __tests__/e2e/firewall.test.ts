import { compute, deleteRule, insertRule, type Rule, rule, rules } from './compute';
import { type Gcloud, haveGcloud, openGcloud } from './gcloud';
import {
  action,
  control,
  environment,
  lab,
  mutations,
  output,
  type Seen,
  shell,
  succeeding,
  waitFor,
} from './lab';
import { basics, ownLogin } from './machines';

// The standing rule, openings of runs, and other people's rules.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let zone: string;
let ip: string;
/** CIDR of the lab's network. */
let subnet: string;
/** A run against an instance whose network has no rules; it waits for longer than the stories before its own take. */
let timedOut: Promise<Seen>;

beforeAll(async () => {
  const env = await environment();
  zone = String(env.LAB_ZONE);
  ip = String(env.LAB_INSTANCE_IP);
  subnet = String(env.LAB_SUBNET);
  await lab('reset');
  await lab('up', '--instances', '2');
  const network = { project: 'lab-project', name: 'closed' };
  await control('POST', '/networks', network);
  await control('PATCH', '/instances/registry-2', { network });
  inputs = { ...(await basics()), mode: 'bootstrap' };
  timedOut = action({ ...inputs, instance: 'registry-2' });
  timedOut.catch(() => undefined);
  // Converged once, so that the stories below are about the firewall alone.
  await succeeding(inputs);
});
afterAll(() => lab('down', 'registry-2'));

test('the standing rule carries the CIDRs, for this instance alone, and follows the input', async () => {
  await succeeding({ ...inputs, 'source-ranges': `${subnet}, 192.0.2.7` });
  expect(await rule('registry-1-registry')).toMatchObject({
    sourceRanges: ['192.0.2.7/32', subnet],
    targetTags: ['registry-1-registry'],
    allowed: [{ IPProtocol: 'tcp', ports: ['5000', '18080'] }],
  });
  expect((await shell('runner', `curl -fsS -m 5 http://${ip}:5000/v2/`)).status).toBe(0);

  const same = await succeeding({ ...inputs, 'source-ranges': `192.0.2.7/32,${subnet}` });
  expect(same.outputs.changed).toBe('false');

  const other = await succeeding({ ...inputs, 'source-ranges': '192.0.2.7' });
  expect(JSON.parse(String(other.outputs.changes))).toMatchObject([{ target: 'firewall' }]);
  expect((await shell('runner', `curl -fsS -m 3 http://${ip}:5000/v2/`)).status).not.toBe(0);
});

test('a workflow that says nothing of CIDRs leaves the rule of another one; `runner` alone removes it, in a warning', async () => {
  await succeeding({ ...inputs, 'source-ranges': subnet });
  const before = await rule('registry-1-registry');
  const second = await succeeding(inputs);
  expect(second.outputs).toMatchObject({ changed: 'false', 'firewall-rule': 'registry-1-registry' });
  expect(await rule('registry-1-registry')).toEqual(before);
  expect((await shell('runner', `curl -fsS -m 5 http://${ip}:5000/v2/`)).status).toBe(0);
  // The standing rule admits the runner, so there is no opening either.
  expect(mutations(second)).not.toContain('POST firewalls');

  // Where its service goes, the rule goes along.
  await succeeding({ ...inputs, 'registry-port': '5001' });
  expect(await rule('registry-1-registry')).toMatchObject({
    sourceRanges: [subnet],
    allowed: [{ IPProtocol: 'tcp', ports: ['5001', '18080'] }],
  });
  await succeeding(inputs);

  const third = await succeeding({ ...inputs, 'source-ranges': 'runner' });
  expect(await rule('registry-1-registry')).toBeUndefined();
  expect((await shell('runner', `curl -fsS -m 3 http://${ip}:5000/v2/`)).status).not.toBe(0);
  expect(third.annotations).toContainEqual(
    expect.objectContaining({
      level: 'warning',
      message: expect.stringContaining('remove rule registry-1-registry'),
    }),
  );
  const [heading, , mark, said, what] = third.summary.split('\n');
  expect(heading).toMatch(/^### /);
  expect([mark, said]).toEqual(['> [!WARNING]', '> Access was taken away:']);
  expect(what).toContain('rule registry-1-registry');
});

describe('another instance of the same name, in another zone of the network', () => {
  const mark = 'Docker registry and its web UI on instance registry-1. Managed by gce-registry-action.';
  const theirs = {
    name: 'registry-1-registry',
    network: 'projects/lab-project/global/networks/default',
    description: `${mark} instance=lab-project/europe-west1-c/registry-1`,
    sourceRanges: ['192.0.2.64/26'],
    targetTags: ['registry-1-registry'],
    allowed: [{ IPProtocol: 'tcp', ports: ['5000', '18080'] }],
  };
  let before: Rule | undefined;
  beforeAll(async () => {
    await insertRule(theirs);
    before = await rule('registry-1-registry');
  });
  afterAll(async () => {
    await deleteRule('registry-1-registry');
    await setTags(['registry-1-registry']);
  });

  test('keeps its rule, byte for byte, and ours has a name and a tag of its own', async () => {
    const own = expect.stringMatching(/^registry-1-registry-[0-9a-f]{8}$/);
    const first = await succeeding({ ...inputs, 'source-ranges': subnet });
    expect(first.outputs['firewall-rule']).toEqual(own);
    expect(first.maskedLog).toContain(
      'rule registry-1-registry is of lab-project/europe-west1-c/registry-1, and is left alone',
    );
    const name = String(first.outputs['firewall-rule']);
    expect(await rule(name)).toMatchObject({
      description: `${mark} instance=lab-project/${zone}/registry-1`,
      sourceRanges: [subnet],
      targetTags: [own],
    });
    expect((await shell('runner', `curl -fsS -m 5 http://${ip}:5000/v2/`)).status).toBe(0);

    const again = await succeeding({ ...inputs, 'source-ranges': subnet });
    expect(again.outputs).toMatchObject({ changed: 'false', 'firewall-rule': name });
    await succeeding({ ...inputs, 'source-ranges': 'runner' });
    expect(await rule(name)).toBeUndefined();
    expect(await rule('registry-1-registry')).toEqual(before);
  });

  test('is not opened by an opening of ours, whose target is our own tag', async () => {
    const waits = 'touch ~/here; until [ -e ~/go ]; do sleep 0.2; done; rm ~/here ~/go';
    const running = succeeding({ ...inputs, mode: 'deploy' }, ['--later', waits]);
    await Promise.race([waitFor('runner', '[ -e /home/runner/here ]'), running]);
    const opening = (await rules()).find(({ name }) => name.startsWith('registry-1-registry-run-'));
    const { tags } = await compute<{ tags: { items: string[] } }>(
      'GET',
      `zones/${zone}/instances/registry-1`,
    );
    await output('runner', 'touch /home/runner/go');
    await running;
    expect(opening?.targetTags).toEqual([expect.stringMatching(/^registry-1-registry-[0-9a-f]{8}$/)]);
    expect(tags.items).toEqual(expect.arrayContaining([...(opening?.targetTags ?? [])]));
  });

  test('has its rule named in firewall-rule: refused, and nothing is changed', async () => {
    await insertRule({ ...theirs, name: 'theirs' });
    const named = await rule('theirs');
    const seen = await action({ ...inputs, 'firewall-rule': 'theirs', 'source-ranges': subnet });
    expect(seen.exitCode).toBe(1);
    expect(seen.annotations.map(({ message }) => message).join()).toMatch(
      /Firewall rule of another instance: .*of lab-project\/europe-west1-c\/registry-1\. Leave `firewall-rule` away/,
    );
    expect(await rule('theirs')).toEqual(named);
    await deleteRule('theirs');
  });
});

test('a rule of an older version is this instance’s where it carries the tag, and gets its identity', async () => {
  const mark = 'Docker registry and its web UI on instance registry-1. Managed by gce-registry-action.';
  await insertRule({
    name: 'registry-1-registry',
    network: 'projects/lab-project/global/networks/default',
    description: mark,
    sourceRanges: [subnet],
    targetTags: ['registry-1-registry'],
    allowed: [{ IPProtocol: 'tcp', ports: ['5000', '18080'] }],
  });
  const seen = await succeeding(inputs);
  expect(mutations(seen).filter((call) => !call.endsWith('/setMetadata'))).toEqual([
    'PATCH firewalls/registry-1-registry',
  ]);
  expect(await rule('registry-1-registry')).toMatchObject({
    description: `${mark} instance=lab-project/${zone}/registry-1`,
    sourceRanges: [subnet],
  });
  expect((await succeeding(inputs)).outputs.changed).toBe('false');
  await succeeding({ ...inputs, 'source-ranges': 'runner' });
  expect(await rule('registry-1-registry')).toBeUndefined();
});

test('a rule of somebody else for every instance is refused, with the two ways out, and cuts nobody off', async () => {
  await insertRule({
    name: 'office',
    network: 'projects/lab-project/global/networks/default',
    description: 'Our office',
    sourceRanges: ['192.0.2.0/24', '198.18.0.0/15'],
    allowed: [{ IPProtocol: 'tcp', ports: ['18080'] }],
  });
  const before = await rule('office');
  const seen = await action({ ...inputs, 'firewall-rule': 'office', 'source-ranges': subnet });
  expect(seen.exitCode).toBe(1);
  expect(seen.annotations.map(({ message }) => message).join()).toMatch(
    /Firewall rule of somebody else: .*every instance of network default.* Either leave that rule .* Or change that rule yourself/,
  );
  expect(await rule('office')).toEqual(before);
  // A default run does not ask for anything of it.
  expect((await succeeding({ ...inputs, 'firewall-rule': 'office' })).outputs.changed).toBe('false');
  expect(await rule('office')).toEqual(before);
  await deleteRule('office');
});

/** The instance's network tags, as its owner would set them. */
async function setTags(items: readonly string[]): Promise<void> {
  const path = `zones/${zone}/instances/registry-1`;
  const { tags } = await compute<{ tags: { fingerprint: string } }>('GET', path);
  const operation = await compute<{ name: string }>('POST', `${path}/setTags`, {
    items,
    fingerprint: tags.fingerprint,
  });
  await compute('POST', `zones/${zone}/operations/${operation.name}/wait`);
}

test('IPv6 ranges stand in a rule of their own, since Compute takes one family a rule', async () => {
  await succeeding({ ...inputs, 'source-ranges': '192.0.2.0/24, 2001:db8::/32' });
  expect((await rule('registry-1-registry'))?.sourceRanges).toEqual(['192.0.2.0/24']);
  expect((await rule('registry-1-registry-ipv6'))?.sourceRanges).toEqual(['2001:db8::/32']);
  await succeeding({ ...inputs, 'source-ranges': 'runner' });
});

test('an opening whose run died is swept by the next run; somebody else’s rule never is', async () => {
  const past = new Date(Date.now() - 60_000).toISOString();
  const mark = 'Opening of one run of gce-registry-action.';
  const common = {
    network: 'projects/lab-project/global/networks/default',
    sourceRanges: ['192.0.2.9/32'],
    targetTags: ['registry-1-registry'],
    allowed: [{ IPProtocol: 'tcp', ports: ['5000'] }],
  };
  const mine = `${mark} instance=lab-project/${zone}/registry-1 expires=`;
  const future = new Date(Date.now() + 3_600_000).toISOString();
  await insertRule({ ...common, name: 'registry-1-registry-run-dead', description: `${mine}${past}` });
  await insertRule({ ...common, name: 'registry-1-registry-run-alive', description: `${mine}${future}` });
  await insertRule({ ...common, name: 'registry-1-registry-run-foreign', description: 'made by hand' });
  await insertRule({
    ...common,
    name: 'other-registry-run-dead',
    description: `${mark} instance=lab-project/${zone}/other expires=${past}`,
  });
  await succeeding(inputs);
  const left = (await rules()).map(({ name }) => name).filter((name) => name.includes('-run-'));
  expect(left.sort()).toEqual([
    'other-registry-run-dead',
    'registry-1-registry-run-alive',
    'registry-1-registry-run-foreign',
  ]);
  for (const name of left) await deleteRule(name);
});

test('rules that already open or deny the ports are named in the log', async () => {
  await insertRule({
    name: 'block-registry',
    network: 'projects/lab-project/global/networks/default',
    sourceRanges: ['203.0.113.0/24'],
    denied: [{ IPProtocol: 'tcp', ports: ['5000-5010'] }],
    priority: 900,
  });
  const { maskedLog } = await succeeding(inputs);
  expect(maskedLog).toContain(
    'rule block-registry already denies tcp:5000 from 203.0.113.0/24 (priority 900)',
  );
  await deleteRule('block-registry');
});

test('where SSH times out, the error says which rule is missing for port 22', async () => {
  const { exitCode, annotations } = await timedOut;
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message).join('\n')).toMatch(
    /SSH timed out: .*No firewall rule of network closed admits anyone from outside to tcp:22/,
  );
});

test('on a shared network the rule is made in the host project', async () => {
  const network = { project: 'host-project', name: 'shared' };
  await control('POST', '/networks', network);
  await insertRule(
    {
      name: 'shared-allow-ssh',
      network: 'projects/host-project/global/networks/shared',
      sourceRanges: ['0.0.0.0/0'],
      allowed: [{ IPProtocol: 'tcp', ports: ['22'] }],
    },
    'host-project',
  );
  await control('PATCH', '/instances/registry-1', { network });
  try {
    const seen = await succeeding({ ...inputs, 'source-ranges': subnet });
    expect(await rule('registry-1-registry', 'host-project')).toMatchObject({
      sourceRanges: [subnet],
      network: expect.stringContaining('projects/host-project/global/networks/shared'),
    });
    expect(await rule('registry-1-registry')).toBeUndefined();
    expect(mutations(seen)).toContain('POST firewalls');
  } finally {
    await control('PATCH', '/instances/registry-1', { network: { project: 'lab-project', name: 'default' } });
  }
});

if (haveGcloud())
  describe('a rule made by the tutorial’s own command, with this instance as its target', () => {
    let gcloud: Gcloud;
    beforeAll(async () => {
      gcloud = await openGcloud();
    });
    afterAll(() => gcloud.close());

    test('gets what is missing and keeps its description and priority', async () => {
      const list = ['compute', 'firewall-rules'];
      await gcloud.ok(
        ...[...list, 'create', 'test-rule', '--allow', 'tcp:18080', '--source-tags=list-of-tags'],
        ...['--source-ranges=0.0.0.0/0', '--description=Narrowing TCP traffic', '--priority=900'],
        '--target-tags=registry-1-registry',
      );
      const wanted = {
        ...inputs,
        ...(await ownLogin()),
        'firewall-rule': 'test-rule',
        'source-ranges': '0.0.0.0/0',
      };
      const seen = await succeeding(wanted);
      expect(mutations(seen)).toEqual(['PATCH firewalls/test-rule']);
      expect(await gcloud.object<Rule>(...list, 'describe', 'test-rule')).toMatchObject({
        description: 'Narrowing TCP traffic',
        priority: 900,
        sourceRanges: ['0.0.0.0/0'],
        sourceTags: ['list-of-tags'],
        targetTags: ['registry-1-registry'],
        allowed: [{ IPProtocol: 'tcp', ports: ['18080', '5000'] }],
      });
      expect(await gcloud.ok(...list, 'list', '--filter=name=test-rule')).toMatch(
        /test-rule\s+default\s+INGRESS\s+900\s+tcp:18080,tcp:5000/,
      );
      expect(seen.annotations.filter(({ message }) => message.includes('0.0.0.0/0'))).toHaveLength(1);

      const again = await succeeding(wanted);
      expect(again.outputs.changed).toBe('false');
      expect(mutations(again)).toEqual([]);
      await output('runner', `curl -fsS -m 5 http://${ip}:5000/v2/`);
    });
  });
