import { readFileSync } from 'node:fs';
import { insertRule } from './compute';
import { action, control, lab, output, type Seen, shell } from './lab';
import { basics } from './machines';

// The role of docs/security.md is enough for every mode, and each permission of it is needed by one.

jest.setTimeout(300_000);

const command = /^gcloud iam roles create .*--permissions=(\S+)$/m.exec(
  readFileSync('docs/security.md', 'utf8'),
);
/** actAs is granted on the instance's service account alone, so it is not in the role. */
const ACT_AS = 'iam.serviceAccounts.actAs';
const ROLE = [...String(command?.[1]).split(','), ACT_AS];

let inputs: Record<string, string>;

beforeAll(async () => {
  await lab('reset');
  inputs = await basics();
  await output('runner', 'docker pull -q hello-world');
});

async function as(permissions: readonly string[], more: Record<string, string>): Promise<Seen> {
  const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', { permissions });
  return action({ ...inputs, 'project-id': 'lab-project', 'access-token': accessToken, ...more });
}

test('the role has 11 permissions, beside actAs', () => expect(ROLE).toHaveLength(12));

test('with exactly the role every mode succeeds, on an empty project', async () => {
  const both = { 'source-ranges': 'runner, 192.0.2.0/24' };
  for (const mode of ['deploy', 'push', 'bootstrap', 'health-check']) {
    const { exitCode, maskedLog } = await as(ROLE, { mode, ...both });
    if (exitCode !== 0) throw new Error(`${mode}:\n${maskedLog}`);
  }
});

/** A run that needs the permission, from a state in which it does. */
const NEEDS: Readonly<Record<string, { before?: () => Promise<unknown>; inputs: Record<string, string> }>> = {
  'compute.firewalls.update': { inputs: { mode: 'bootstrap', 'source-ranges': '192.0.2.0/25' } },
  'compute.firewalls.create': { inputs: { mode: 'push' } },
  'compute.firewalls.delete': {
    before: leaveOpening,
    inputs: { mode: 'bootstrap', 'source-ranges': '192.0.2.0/24' },
  },
  'compute.networks.updatePolicy': { inputs: { mode: 'push' } },
  'compute.instances.setTags': { before: () => lab('reset', 'registry-1'), inputs: { mode: 'bootstrap' } },
};

test.each(ROLE)('without %s the error names it', async (missing) => {
  const need = NEEDS[missing] ?? { inputs: { mode: 'push' } };
  await need.before?.();
  const rest = ROLE.filter((permission) => permission !== missing);
  const { exitCode, annotations } = await as(rest, need.inputs);
  const errors = annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  expect(exitCode).toBe(1);
  expect(errors.join()).toContain(missing);
});

/** An opening whose run died, which the next run has to delete. */
async function leaveOpening(): Promise<void> {
  await insertRule({
    name: 'registry-1-registry-run-dead',
    network: 'projects/lab-project/global/networks/default',
    description:
      'Opening of one run of gce-registry-action. instance=lab-project/europe-west1-b/registry-1 expires=2020-01-01T00:00:00.000Z',
    sourceRanges: ['192.0.2.9/32'],
    targetTags: ['registry-1-registry'],
    allowed: [{ IPProtocol: 'tcp', ports: ['5000'] }],
  });
  await shell('runner', 'true');
}
