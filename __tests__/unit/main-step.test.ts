import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Modes, mainStep } from '../../src/main-step';
import type { Run } from '../../src/modes/run';
import type { Report } from '../../src/report/outputs';
import { ActionError } from '../../src/values/errors';
import { FakeJob } from './surroundings';

const defaults = Object.entries(
  (parse(readFileSync('action.yml', 'utf8')) as { inputs: Record<string, { default?: string }> }).inputs,
).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]]));

const REPORT: Report = {
  mode: 'deploy',
  instance: 'registry-1',
  zone: 'europe-west1-b',
  uiPort: 18080,
  openTo: [],
  instanceIp: '203.0.113.9',
  registry: '203.0.113.9:5000',
  loopback: false,
  scheme: 'http',
  caCertificate: null,
  job: null,
  uiUrl: null,
  firewallRule: 'registry-1-registry',
  onlyPlanned: false,
  addressMayChange: false,
  changes: [],
  notes: [],
  images: [],
  health: null,
  pruned: null,
  layout: null,
  snapshot: null,
  movement: null,
};

const ERROR = new ActionError('A permission is missing in Google Cloud', {
  doing: 'reading instance registry-1',
  happened: '403 <b>',
  next: 'Grant the role of docs/security.md to the service account',
});

let job: FakeJob;

beforeEach(() => {
  job = new FakeJob();
  job.inputs = {
    ...Object.fromEntries(defaults),
    zone: 'europe-west1-b',
    instance: 'registry-1',
    image: 'app',
  };
  job.env = { GITHUB_ACTION_REPOSITORY: 'org/gce-registry-action', GITHUB_ACTION_REF: 'v1.2.3' };
});

async function run(mode: (run: Run) => Promise<Report>): Promise<Run | null> {
  let seen: Run | null = null;
  const all = async (given: Run) => {
    seen = given;
    return mode(given);
  };
  const modes: Modes = {
    deploy: all,
    bootstrap: all,
    push: all,
    connect: all,
    'health-check': all,
    prune: all,
    backup: all,
    teardown: all,
  };
  await mainStep(job, job.commands({}), modes);
  return seen;
}

const healthy = async () => REPORT;
const failing = async () => Promise.reject(ERROR);
const DOCS = 'https://github.com/org/gce-registry-action/blob/v1.2.3/docs';

test('reports what the mode found', async () => {
  await run(healthy);
  expect(job.outputs).toMatchObject({ registry: '203.0.113.9:5000', 'instance-ip': '203.0.113.9' });
  expect(job.summary).toContain('### Set up the registry on registry-1\n');
  expect(job.failures).toEqual([]);
});

test('a failure is an annotation and a summary, with links to the documents of this version', async () => {
  await run(failing);
  expect(job.failures).toEqual([
    expect.stringMatching(
      /^A permission is missing in Google Cloud: .*Grant the role of https:\S+\/docs\/security\.md/,
    ),
  ]);
  expect(job.summary).toContain('### Registry on registry-1: failed');
  expect(job.summary).toContain('**A permission is missing in Google Cloud**');
  expect(job.summary).toContain('403 &#60;b&#62;');
  expect(job.summary).toContain(`[docs/security.md](${DOCS}/security.md)`);
  expect(job.summary).toContain(`(${DOCS}/troubleshooting.md#a-permission-is-missing-in-google-cloud)`);
  expect(job.outputs).toEqual({});
});

test('where the version is not known, the documents are named', async () => {
  job.env = {};
  await run(failing);
  expect(job.failures[0]).toContain('the role of docs/security.md');
  expect(job.summary).toContain('docs/troubleshooting.md#a-permission-is-missing-in-google-cloud');
  expect(job.failures[0] + job.summary).not.toContain('https://');
});

test('summary: false is heeded where the run fails, too', async () => {
  job.inputs.summary = 'false';
  await run(failing);
  expect(job.summary).toBe('');
});

test('a wrong input fails before any mode is run, with its summary', async () => {
  job.inputs.zone = 'Nowhere!';
  expect(await run(healthy)).toBeNull();
  expect(job.failures).toEqual([expect.stringMatching(/^Invalid input: /)]);
  expect(job.summary).toContain('**Invalid input**');
});

test('a bug is shown as what it says, and its causes are for debugging', async () => {
  const cause = new Error('deep down');
  await run(async () => Promise.reject(new TypeError('x is undefined', { cause })));
  expect(job.failures).toEqual(['x is undefined']);
  expect(job.summary).toContain('x is undefined');
  expect(job.log.lines.join('\n')).toContain('deep down');
});

test.each([
  ['unhealthy', 1, 0],
  ['degraded', 0, 1],
  ['healthy', 0, 0],
] as const)('a registry that is %s: %i errors, %i warnings', async (state, errors, warnings) => {
  const checks = [{ name: 'SSH', state, finding: 'as it is' }];
  await run(async () => ({ ...REPORT, health: { state, checks, found: null } }));
  expect(job.failures).toHaveLength(errors);
  expect(job.log.lines.filter((line) => line.startsWith('The registry is'))).toHaveLength(warnings);
  expect(job.summary).toContain(`### Registry on registry-1: ${state}`);
});

test('secrets of the inputs are masked before anything else, also where they are wrong', async () => {
  Object.assign(job.inputs, { 'access-token': 'ya29.secret', 'ssh-private-key': 'wrong key' });
  await run(healthy);
  expect(job.log.masked).toEqual(expect.arrayContaining(['ya29.secret', 'wrong key']));
});

test.each([
  ['github-hosted', 7],
  ['self-hosted', 121],
])('on a %s runner what a run takes may last %i hours', async (runner, hours) => {
  job.env = { RUNNER_ENVIRONMENT: runner, DOCKER_HOST: 'unix:///second.sock', PATH: '/bin' };
  const seen = await run(healthy);
  expect(seen?.leases.lifetimeMs).toBe(hours * 60 * 60 * 1000);
  expect(seen?.leases.docker.environment).toEqual({
    PATH: '/bin',
    DOCKER_HOST: 'unix:///second.sock',
    DOCKER_CONFIG: '/home/ci/.docker',
  });
});
