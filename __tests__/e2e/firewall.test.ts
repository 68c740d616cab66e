import { deleteRule, insertRule, type Rule, rule, rules } from './compute';
import { type Gcloud, haveGcloud, openGcloud } from './gcloud';
import { action, control, environment, lab, mutations, output, type Seen, shell, succeeding } from './lab';
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

  await succeeding({ ...inputs, 'source-ranges': 'runner' });
  expect(await rule('registry-1-registry')).toBeUndefined();
});

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
  describe('a rule made by the tutorial’s own command', () => {
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
