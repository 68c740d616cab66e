import fc from 'fast-check';
import type { Candidate, OpenGoogle } from '../../src/leases/google-place';
import { takeKey } from '../../src/leases/key';
import { takeOpening } from '../../src/leases/opening';
import { postStep } from '../../src/post-step';
import { VM } from './firewall/fixtures';
import { DOCKER, FakeCompute, HINT, termsOf } from './leases/example';
import { FakeJob } from './surroundings';

let job: FakeJob;
let compute: FakeCompute;
let opened: { place: string; file: string | null }[];
let open: OpenGoogle;

beforeEach(() => {
  job = new FakeJob();
  compute = new FakeCompute();
  opened = [];
  open = async ({ context }: Candidate, { project, zone, instance }) => {
    opened.push({ place: `${project}/${zone}/${instance}`, file: context.credentialsFile });
    return compute;
  };
});

async function takeAll(): Promise<void> {
  const terms = termsOf(job.state);
  await takeKey({ compute, vm: VM, user: 'ci' }, terms, job.log).admitted;
  const identity = { runId: '1', attempt: '1', unique: 'x' };
  const wish = { vm: VM, address: '198.51.100.7', targetTag: 't', ports: [5000], identity, url: null };
  await takeOpening(wish, compute, terms, job.log);
}

test('without notes nothing is read, and nothing done', async () => {
  await postStep(job, open);
  expect([job.read.size, opened, job.log.lines]).toEqual([0, [], []]);
});

test('undoes what is noted, on the VM that is noted, whatever the environment says by now', async () => {
  await takeAll();
  job.env = {
    GOOGLE_APPLICATION_CREDENTIALS: '/other.json',
    GOOGLE_CLOUD_PROJECT: 'other',
    GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'other.goog',
  };
  job.inputs = { 'project-id': 'other', instance: 'other', zone: 'other', mode: 'nonsense' };
  await postStep(job, open);
  expect(opened).toHaveLength(2);
  for (const each of opened) expect(each).toEqual({ place: 'service/europe-west1-b/web-1', file: HINT.file });
  expect([compute.rules, compute.sshKeys]).toEqual([[], null]);
});

test('reads of the inputs the credentials alone', async () => {
  await takeAll();
  await postStep(job, open);
  expect([...job.read].sort()).toEqual(['access-token', 'credentials-json']);
});

test('credentials that fail make way for those of now', async () => {
  await takeAll();
  job.env = { GOOGLE_APPLICATION_CREDENTIALS: '/other.json' };
  const first = open;
  await postStep(job, async (candidate, place) => {
    if (candidate.context.credentialsFile === HINT.file) throw new Error('gone');
    return first(candidate, place);
  });
  expect(opened.map(({ file }) => file)).toEqual(['/other.json', '/other.json']);
  expect(compute.rules).toEqual([]);
});

test('inputs that cannot be read are no reason to fail', async () => {
  await takeAll();
  job.inputs = { 'access-token': 'a', 'credentials-json': '{}' };
  await postStep(job, open);
  expect(compute.rules).toEqual([]);
  expect(job.failures).toEqual([]);
});

test('without any credentials one warning says what is left, with a link to no other place', async () => {
  await takeAll();
  await postStep(job, async () => Promise.reject(new Error('Google refused the credentials')));
  const warnings = job.log.lines.filter((line) => line.includes('Left behind'));
  expect(warnings).toEqual([expect.stringMatching(/SSH key of ci.*gcloud compute firewall-rules delete/)]);
});

test('commands run where the main step ran them', async () => {
  const tag = { reference: 'r/app:1', image: `sha256:${'a'.repeat(64)}`, before: null };
  const record = { kind: 'local-tag', docker: DOCKER, tag, expires: '2026-01-01T00:00:00Z' };
  job.state.save('leases', JSON.stringify([record]));
  job.env = { PATH: '/evil', DOCKER_HOST: 'tcp://evil:1', LANG: 'C' };
  await postStep(job, open);
  expect(job.environments).toEqual([{ ...DOCKER.environment, LANG: 'C' }]);
  expect(job.hosts).toEqual(['/home/ci/.docker']);
});

test('whatever is in the state, nothing is thrown and the step does not fail', async () => {
  const states = fc.oneof(
    fc.string(),
    fc.json(),
    fc.array(fc.anything()).map((list) => JSON.stringify(list) ?? ''),
  );
  await fc.assert(
    fc.asyncProperty(states, async (text) => {
      job.state.values.set('leases', text);
      await postStep(job, open);
      expect(job.failures).toEqual([]);
    }),
  );
  expect([opened, compute.calls]).toEqual([[], []]);
});
