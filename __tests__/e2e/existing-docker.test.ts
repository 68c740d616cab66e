import { action, lab, mutations, output, succeeding, waitFor } from './lab';
import { basics, served } from './machines';

// Instances that somebody set up before: their engine and their containers stay.

jest.setTimeout(300_000);

let inputs: Record<string, string>;

beforeEach(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  inputs = await basics();
});

test('with docker.io and a running container the engine is kept, and the container keeps running', async () => {
  await output(
    'registry-1',
    `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io docker-cli >/dev/null
     docker pull -q registry:3 && docker run -d --name theirs registry:3`,
  );
  const state = () =>
    output(
      'registry-1',
      "docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.State.Running}}' theirs; pidof dockerd",
    );
  const before = await state();
  const seen = await succeeding(inputs);
  expect(await state()).toBe(before);
  expect(await output('registry-1', 'dpkg -s docker.io')).toContain('Status: install ok installed');
  expect(await served('registry-1', ['test:latest'])).toEqual({ 'test:latest': seen.outputs.digest });
  expect(seen.maskedLog).toContain('is kept');
});

test('Docker’s old docker.list gives no Signed-By conflict, and half-configured packages are finished first', async () => {
  await output(
    'registry-1',
    `install -d /etc/apt/keyrings
     curl -fsSL https://download.docker.com/linux/debian/gpg -o /usr/share/keyrings/docker-archive-keyring.asc
     apt-get update -qq; cd /tmp && apt-get download -q sl >/dev/null 2>&1; dpkg --unpack sl*.deb >/dev/null
     echo 'deb [arch=amd64 signed-by=/usr/share/keyrings/docker-archive-keyring.asc] https://download.docker.com/linux/debian trixie stable' >/etc/apt/sources.list.d/docker.list`,
  );
  await succeeding(inputs);
  expect(await output('registry-1', 'dpkg --audit')).toBe('');
  const update = await output('registry-1', 'apt-get update 2>&1');
  expect(update).not.toMatch(/Conflicting values|configured multiple times/);
  expect(await output('registry-1', 'dpkg -s docker-ce')).toContain('Status: install ok installed');
});

test('a port that something else has is an error before anything is changed', async () => {
  await output('registry-1', 'systemd-run --unit squatter /usr/sbin/sshd -D -p 5000');
  await waitFor('registry-1', "ss -Hltn '( sport = 5000 )' | grep -q .");
  const seen = await action(inputs);
  const { exitCode, annotations, ssh } = seen;
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message).join()).toMatch(/^Port in use: .*5000/);
  expect(ssh.commands).toBe(1);
  // Its own key and opening, made while the instance was still being read.
  expect(mutations(seen)).toEqual([
    'DELETE firewalls/registry-1-registry-run-*',
    'POST firewalls',
    'POST instances/registry-1/setMetadata',
    'POST instances/registry-1/setMetadata',
  ]);
});
