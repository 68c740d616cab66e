import { compute, deleteRule } from './compute';
import { control, lab, output, type Seen, succeeding } from './lab';
import { expectNothingLeft, openings, type RunnerSnapshot, snapshotRunner, sshKeys } from './left-over';
import { basics } from './machines';

// The post step undoes what the main step did, and where, whatever the rest of the job has changed.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('reset');
  inputs = { ...(await basics()), mode: 'push' };
  await output('runner', 'docker pull -q hello-world');
  before = await snapshotRunner();
  await succeeding({ ...inputs, mode: 'deploy' });
});

const warnings = ({ annotations }: Seen) =>
  annotations.filter(({ level }) => level === 'warning').map(({ message }) => message);

/** A step that leaves nothing as it was for the steps after it. */
const CHANGES_EVERYTHING = `
  mkdir -p "$HOME/elsewhere"
  printf '#!/bin/sh\\nexit 1\\n' | tee "$HOME/elsewhere/docker" "$HOME/elsewhere/sudo" >/dev/null
  chmod +x "$HOME"/elsewhere/*
  cat >>"$GITHUB_ENV" <<END
GOOGLE_APPLICATION_CREDENTIALS=/nowhere/credentials.json
GOOGLE_CLOUD_PROJECT=another-project
DOCKER_HOST=tcp://127.0.0.1:9
DOCKER_CONFIG=/nowhere
PATH=$HOME/elsewhere:$PATH
END`;

test('a step that changes the environment, and inputs that are empty by then, change nothing about it', async () => {
  const seen = await succeeding(inputs, ['--later', CHANGES_EVERYTHING, '--post-without-inputs']);
  await expectNothingLeft(before);
  expect(warnings(seen)).toEqual([]);
});

test('the state that GitHub keeps holds neither keys nor tokens', async () => {
  const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', {});
  const seen = await succeeding({ ...inputs, 'project-id': 'lab-project', 'access-token': accessToken });
  const state = JSON.stringify(seen.state);
  expect(state).toContain('-registry-run-');
  expect(state).not.toContain(accessToken);
  expect(state).not.toContain('PRIVATE KEY');
});

test('without any credentials a warning names what is left, and the command that removes it works', async () => {
  const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', {});
  const given = { ...inputs, 'project-id': 'lab-project', 'access-token': accessToken };
  const seen = await succeeding(given, ['--post-without-inputs']);
  const [opening = 'none'] = await openings();
  const [key = 'none'] = await sshKeys();
  const [warning = '', ...others] = warnings(seen).filter((text) => text.startsWith('No Google credentials'));
  expect(others).toEqual([]);
  expect(warning).toContain(`gcloud compute firewall-rules delete ${opening} --project lab-project`);
  expect(warning).toMatch(/an SSH key of registry-action in the metadata entry ssh-keys of registry-1/);
  expect(warning).toMatch(/A run of this instance after 20\S+Z removes it as well/);
  // The longest that a job on GitHub's own runners can take, and some time for clocks that differ.
  const expires = Date.parse(/"expireOn":"([^"]+)"/.exec(key)?.[1]?.replace('+0000', 'Z') ?? '');
  expect((expires - Date.now()) / 3_600_000).toBeGreaterThan(6);
  expect((expires - Date.now()) / 3_600_000).toBeLessThan(8);

  await deleteRule(opening);
  await removeKeys();
  await expectNothingLeft(before);
});

async function removeKeys(): Promise<void> {
  const vm = 'zones/europe-west1-b/instances/registry-1';
  const { metadata } = await compute<{ metadata: { items: { key: string }[] } }>('GET', vm);
  const items = metadata.items.filter(({ key }) => key !== 'ssh-keys');
  const { name } = await compute<{ name: string }>('POST', `${vm}/setMetadata`, { ...metadata, items });
  await compute('POST', `zones/europe-west1-b/operations/${name}/wait`);
}
