import { join } from 'node:path';
import { type Gcloud, haveGcloud, openGcloud } from './gcloud';
import { environment, output, run } from './lab';

// The lab's Google Cloud, judged by the real clients of the real one.

jest.setTimeout(120_000);

let lab: Record<string, string>;
let client: Gcloud;

beforeAll(async () => {
  lab = await environment();
  client = await openGcloud();
});

afterAll(() => client.close());

const gcloud = (...args: string[]) => client.run(...args);
const ok = (...args: string[]) => client.ok(...args);
const object = <T>(...args: string[]) => client.object<T>(...args);

interface Rule {
  readonly name: string;
  readonly description: string;
  readonly priority: number;
  readonly sourceRanges: readonly string[];
  readonly sourceTags: readonly string[];
  readonly allowed: readonly { readonly IPProtocol: string; readonly ports: readonly string[] }[];
}

interface Vm {
  readonly status: string;
  readonly networkInterfaces: readonly { readonly accessConfigs: readonly { readonly natIP: string }[] }[];
  readonly tags: { readonly items?: readonly string[] };
  readonly metadata: { readonly items: readonly { readonly key: string; readonly value: string }[] };
}

const RULES = ['compute', 'firewall-rules'];
const INSTANCES = ['compute', 'instances'];
const NAME = 'gcloud-test-rule';

function ruleStories(): void {
  afterEach(() => gcloud(...RULES, 'delete', NAME));

  const create = (name = NAME) =>
    ok(
      ...[...RULES, 'create', name, '--allow', 'tcp:18080', '--source-tags=registry'],
      ...['--source-ranges=0.0.0.0/0', '--description=web UI of the registry'],
    );

  test("a rule made by the tutorial's command is listed as users know it", async () => {
    await create();
    const [header, line] = (await ok(...RULES, 'list', `--filter=name=${NAME}`)).trim().split('\n');
    expect(header?.split(/\s+/)).toEqual([
      'NAME',
      'NETWORK',
      'DIRECTION',
      'PRIORITY',
      'ALLOW',
      'DENY',
      'DISABLED',
    ]);
    expect(line?.split(/\s+/)).toEqual([NAME, 'default', 'INGRESS', '1000', 'tcp:18080', 'False']);
  });

  test('a new project has the four rules of its default network', async () => {
    const names = (await object<Rule[]>(...RULES, 'list')).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['icmp', 'internal', 'rdp', 'ssh'].map((what) => `default-allow-${what}`)),
    );
  });

  test('an update changes what it names and keeps the rest', async () => {
    await create();
    await ok(...RULES, 'update', NAME, '--allow=tcp:18080,tcp:5000', '--priority=900');
    const rule = await object<Rule>(...RULES, 'describe', NAME);
    expect(rule).toMatchObject({
      description: 'web UI of the registry',
      priority: 900,
      sourceRanges: ['0.0.0.0/0'],
      sourceTags: ['registry'],
    });
    expect(rule.allowed.flatMap(({ ports }) => ports)).toEqual(['18080', '5000']);
  });

  test('two rules are deleted by one command, as a batch', async () => {
    await create();
    await create(`${NAME}-2`);
    await ok(...RULES, 'delete', NAME, `${NAME}-2`);
    const { status, stderr } = await gcloud(...RULES, 'describe', NAME);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `The resource 'projects/${lab.LAB_PROJECT}/global/firewalls/${NAME}' was not found`,
    );
  });

  test('a rule that is there is not made again', async () => {
    await create();
    const { stderr } = await gcloud(...RULES, 'create', NAME, '--allow=tcp:1');
    expect(stderr).toContain('already exists');
  });

  test('a rule without a source admits everybody', async () => {
    await ok(...RULES, 'create', NAME, '--allow=tcp:18080');
    expect((await object<Rule>(...RULES, 'describe', NAME)).sourceRanges).toEqual(['0.0.0.0/0']);
  });

  test.each([
    ['host bits', '--source-ranges=192.0.2.1/24', 'resource.sourceRanges[0]'],
    ['IPv4 with IPv6', '--source-ranges=192.0.2.0/24,2001:db8::/32', 'resource.sourceRanges'],
    ['a tag that is no name', '--target-tags=Registry', 'resource.targetTags[0]'],
  ])('a rule with %s is refused', async (_, flag, field) => {
    const { status, stderr } = await gcloud(...RULES, 'create', NAME, '--allow=tcp:1', flag);
    expect(status).toBe(1);
    expect(stderr).toContain(`Invalid value for field '${field}'`);
  });
}

function instanceStories(): void {
  const describeVm = () => object<Vm>(...INSTANCES, 'describe', lab.LAB_INSTANCE ?? '');
  const change = (what: string, ...flags: string[]) =>
    ok(...INSTANCES, what, lab.LAB_INSTANCE ?? '', ...flags);

  test('an instance is described and listed', async () => {
    const vm = await describeVm();
    expect(vm.status).toBe('RUNNING');
    expect(vm.networkInterfaces[0]?.accessConfigs[0]?.natIP).toBe(lab.LAB_INSTANCE_IP);
    expect(await ok(...INSTANCES, 'list')).toMatch(new RegExp(`${lab.LAB_INSTANCE} .* RUNNING`));
  });

  test('tags are added and removed one by one', async () => {
    const before = (await describeVm()).tags.items ?? [];
    await change('add-tags', '--tags=gcloud-a,gcloud-b');
    expect((await describeVm()).tags.items).toEqual([...before, 'gcloud-a', 'gcloud-b'].sort());
    await change('remove-tags', '--tags=gcloud-a');
    expect((await describeVm()).tags.items).toEqual([...before, 'gcloud-b'].sort());
    await change('remove-tags', '--tags=gcloud-b');
    expect((await describeVm()).tags.items ?? []).toEqual(before);
  });

  test('metadata is added beside what is there', async () => {
    const before = (await describeVm()).metadata.items;
    await change('add-metadata', '--metadata=gcloud-test=one,gcloud-more=two');
    const items = (await describeVm()).metadata.items;
    expect(items).toEqual(expect.arrayContaining([...before, { key: 'gcloud-test', value: 'one' }]));
    await change('remove-metadata', '--keys=gcloud-test,gcloud-more');
    expect((await describeVm()).metadata.items).toEqual(before);
  });

  test('the host keys are those that the instance published', async () => {
    const flags = ['--query-path=hostkeys/'];
    const items = JSON.parse(await change('get-guest-attributes', ...flags, '--format=json')) as {
      namespace: string;
      key: string;
      value: string;
    }[];
    const own = await output(lab.LAB_INSTANCE ?? '', 'cat /etc/ssh/ssh_host_ed25519_key.pub');
    const published = items.find(({ key }) => key === 'ssh-ed25519');
    expect(`ssh-ed25519 ${published?.value}`).toBe(own.split(' ').slice(0, 2).join(' '));
  });

  test('what the instance did not publish is not found', async () => {
    const { status, stderr } = await gcloud(
      ...[...INSTANCES, 'get-guest-attributes', lab.LAB_INSTANCE ?? '', '--query-path=nothing/'],
    );
    expect(status).toBe(1);
    expect(stderr).toContain("The resource 'nothing/' of type 'Guest Attribute' was not found.");
  });
}

function diskStories(): void {
  const disk = 'gcloud-test-disk';
  const policy = 'gcloud-test-policy';
  const snapshot = 'gcloud-test-snapshot';
  const region = '--region=europe-west1';

  afterAll(async () => {
    await gcloud(...INSTANCES, 'detach-disk', lab.LAB_INSTANCE ?? '', `--disk=${disk}`);
    await gcloud('compute', 'disks', 'delete', disk, `${disk}-2`);
    await gcloud('compute', 'resource-policies', 'delete', policy, region);
    await gcloud('compute', 'snapshots', 'delete', snapshot);
  });

  test('a disk is made and attached, has a schedule and a snapshot, and another one is made of that', async () => {
    await ok('compute', 'disks', 'create', disk, '--size=10GB', '--type=pd-ssd');
    await ok(...INSTANCES, 'attach-disk', lab.LAB_INSTANCE ?? '', `--disk=${disk}`, `--device-name=${disk}`);
    await output(lab.LAB_INSTANCE ?? '', `test -b /dev/disk/by-id/google-${disk}`);
    await ok(
      ...['compute', 'resource-policies', 'create', 'snapshot-schedule', policy, region],
      ...['--daily-schedule', '--start-time=04:00', '--max-retention-days=14'],
    );
    await ok('compute', 'disks', 'add-resource-policies', disk, `--resource-policies=${policy}`);
    await ok('compute', 'snapshots', 'create', snapshot, `--source-disk=${disk}`, '--labels=a=b');
    await ok('compute', 'disks', 'create', `${disk}-2`, `--source-snapshot=${snapshot}`);
    expect(await object('compute', 'disks', 'describe', `${disk}-2`)).toMatchObject({
      sizeGb: '10',
      status: 'READY',
      sourceSnapshot: expect.stringMatching(new RegExp(`/global/snapshots/${snapshot}$`)),
    });
  });

  test.each([
    ['a disk that is attached', ['disks', 'delete', disk], 'disk resource'],
    [
      'a schedule that a disk has',
      ['resource-policies', 'delete', policy, region],
      'resource_policy resource',
    ],
  ])('%s is not deleted', async (_, command, kind) => {
    const { status, stderr } = await gcloud('compute', ...command);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`The ${kind} '.*' is already being used by '.*'`));
  });
}

if (haveGcloud()) {
  describe('gcloud compute disks, snapshots and resource-policies', diskStories);
  describe('gcloud compute firewall-rules', ruleStories);
  describe('gcloud compute instances', instanceStories);
}

describe('the official client library', () => {
  test('sees operations, pages, request ids and fingerprints as on Google Cloud', async () => {
    const script = join(__dirname, 'official-client.mjs');
    const { status, stdout, stderr } = await run(process.execPath, [script], '', {
      ...process.env,
      ...lab,
      NODE_EXTRA_CA_CERTS: lab.LAB_CA_FILE,
    });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    const seen = JSON.parse(stdout) as {
      name: string;
      rule: { priority: number; sourceRanges: string[]; targetTags: string[] };
      pages: string[];
      metadata: { errors: string[]; kept: number };
    };
    expect(seen.rule).toMatchObject({
      priority: 900,
      sourceRanges: ['192.0.2.0/24'],
      targetTags: ['client'],
    });
    expect(seen.pages).toEqual(expect.arrayContaining([seen.name, 'default-allow-ssh']));
    expect(seen.metadata).toEqual({ errors: ['CONDITION_NOT_MET'], kept: 1 });
  });
});
