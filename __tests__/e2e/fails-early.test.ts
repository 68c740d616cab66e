import { deleteRule, insertRule } from './compute';
import { action, control, lab, mutations, output, type Seen, shell, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';

// What cannot succeed fails before anything is changed, and at once; and it says so where people look.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('reset');
  inputs = await basics();
  before = await snapshotRunner();
});

const errors = ({ annotations }: Seen) =>
  annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');

test('an image that is neither on the runner nor to be pulled: nothing is changed', async () => {
  const seen = await action({ ...inputs, image: 'nobody/has-this:1' });
  expect(seen.exitCode).toBe(1);
  expect(errors(seen)).toMatch(/^Image not found: pulling nobody\/has-this:1/);
  // Its own key and opening, which the post step has taken back.
  const own =
    /^(POST firewalls|DELETE firewalls\/registry-1-registry-run-\*|POST instances\/registry-1\/setMetadata)$/;
  expect(mutations(seen).filter((mutation) => !own.test(mutation))).toEqual([]);
  expect((await shell('registry-1', 'command -v docker dockerd')).status).not.toBe(0);
  await expectNothingLeft(before);

  expect(seen.summary).toContain('### Registry on registry-1: failed');
  expect(seen.summary).toContain('**Image not found**');
  expect(seen.summary).toContain(
    '(https://github.com/lab/gce-registry-action/blob/main/docs/troubleshooting.md#image-not-found)',
  );
});

test('a dry run pulls nothing, and says what it would do', async () => {
  const seen = await succeeding({ ...inputs, image: 'nobody/has-this:1', 'dry-run': 'true' });
  expect(seen.maskedLog).not.toContain('docker pull');
});

test('a key that Google does not take ends the run at once, though nothing answers at port 22', async () => {
  const closed = {
    name: 'nobody-to-ssh',
    network: 'projects/lab-project/global/networks/default',
    priority: 1,
    sourceRanges: ['0.0.0.0/0'],
    denied: [{ IPProtocol: 'tcp', ports: ['22'] }],
  };
  await insertRule(closed);
  try {
    const permissions = ['compute.instances.get', 'compute.instances.getGuestAttributes'];
    permissions.push('compute.firewalls.list', 'compute.zoneOperations.get');
    const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', { permissions });
    const seen = await action({ ...inputs, 'project-id': 'lab-project', 'access-token': accessToken });
    expect(seen.exitCode).toBe(1);
    expect(errors(seen)).toContain('compute.instances.setMetadata');
    expect(errors(seen)).toContain('/blob/main/docs/security.md');
    expect(seen.seconds).toBeLessThan(10);
  } finally {
    await deleteRule('nobody-to-ssh');
  }
});

test('a wrong input has its summary as well', async () => {
  const seen = await action({ ...inputs, 'source-ranges': '300.1.2.3' });
  expect(seen.exitCode).toBe(1);
  expect(seen.summary).toContain('**Invalid source range**');
  expect((await action({ ...inputs, zone: 'Nowhere!', summary: 'false' })).summary).toBe('');
  await output('runner', 'true');
});
