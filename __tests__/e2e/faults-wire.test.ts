import { randomImage, removeImages } from './images';
import { action, lab, output, succeeding, waitFor } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, served } from './machines';
import { turns } from './scale';
import { struck, uploadBegun } from './wire';

/**
 * A bad line between runner and instance. The runs share the instance: the first one sets it up, with its connection
 * cut in the middle of that.
 */
jest.setTimeout(300_000);

let inputs: Record<string, string>;
let runner: RunnerSnapshot;

beforeAll(async () => {
  inputs = await basics();
  await lab('reset');
  await output('runner', 'docker pull -q hello-world');
  runner = await snapshotRunner();
});
afterEach(async () => {
  await lab('fault', 'clear');
  await expectNothingLeft(runner);
});
afterAll(() => lab('fault', 'clear'));

const LOST = 'The SSH connection to the instance was lost: waiting up to 90 s for a new one';

describe('ssh-drop', () => {
  test('while packages are installed: the step is not torn apart, and the same run does the rest', async () => {
    await lab('fault', 'ssh-drop', '1000000000');
    const running = succeeding(inputs);
    await waitFor('registry-1', 'pidof dpkg');
    await lab('fault', 'ssh-drop', '1');
    const seen = await running;
    expect((await struck()).sshDrops).toBe(1);
    expect(seen.maskedLog).toContain(`${LOST} (1 of 3), then reading what is done, and doing the rest`);
    expect(seen.ssh.connections).toBe(2);
    expect(await served('registry-1', ['test:latest'])).toEqual({ 'test:latest': seen.outputs.digest });
    expect(await output('registry-1', 'dpkg --audit')).toBe('');
    // What a dpkg that was cut off leaves behind would be repaired by a step of its own.
    expect(seen.maskedLog).not.toContain('half-installed');
    const again = await succeeding(inputs);
    expect(again.outputs.changed).toBe('false');
  });

  test('anywhere in the login and in the facts: read again, and nothing is changed', async () => {
    const whole = await bytesOf(() => succeeding(inputs));
    const shares = [0.05, 0.15, 0.5, 0.8, 0.9].slice(-turns(3, 5));
    for (const share of shares) {
      await lab('fault', 'ssh-drop', String(Math.round(whole * share)));
      const seen = await succeeding(inputs);
      expect((await struck()).sshDrops).toBeGreaterThan(0);
      expect(seen.maskedLog).toMatch(/connection .* was lost|Waiting for .* to accept SSH connections/);
      expect(seen.outputs.changed).toBe('false');
      expect(seen.ssh.connections).toBeLessThanOrEqual(2);
    }
  });

  test('anywhere in a change: the same run ends with what was asked for', async () => {
    const facts = await bytesOf(() => succeeding(inputs));
    const whole = await bytesOf(() => succeeding({ ...inputs, 'registry-name': 'measured' }));
    expect(whole).toBeGreaterThan(facts);
    const shares = [0.2, 0.6, 0.85, 0.99].slice(-turns(2, 4));
    for (const [index, share] of shares.entries()) {
      const name = `cut off ${index}`;
      await lab('fault', 'ssh-drop', String(Math.round(facts + (whole - facts) * share)));
      const seen = await succeeding({ ...inputs, 'registry-name': name });
      expect((await struck()).sshDrops).toBeGreaterThan(0);
      expect(seen.maskedLog).toContain(LOST);
      expect(seen.outputs.changed).toBe('true');
      expect(await output('registry-1', 'cat /etc/gce-registry/compose.override.yaml')).toContain(name);
      expect(seen.ssh.connections).toBe(2);
    }
    expect(
      (await succeeding({ ...inputs, 'registry-name': `cut off ${shares.length - 1}` })).outputs.changed,
    ).toBe('false');
  });

  test('again and again: an error, after three new connections', async () => {
    await lab('fault', 'ssh-drop-always', '10000');
    const seen = await action(inputs);
    expect((await struck()).sshDrops).toBe(4);
    expect(seen.exitCode).toBe(1);
    expect(seen.maskedLog).toContain(`${LOST} (3 of 3)`);
    expect(seen.annotations).toMatchObject([
      { level: 'error', message: expect.stringContaining('SSH connection lost') },
    ]);
  });

  /** The bytes that a run's SSH connection carries. */
  async function bytesOf(work: () => Promise<unknown>): Promise<number> {
    // The relay of an earlier fault has counted already.
    await straight();
    await lab('fault', 'ssh-drop', '1000000000');
    await work();
    const { sshBytes } = await struck();
    await straight();
    return sshBytes;
  }

  async function straight(): Promise<void> {
    await lab('fault', 'clear');
    await waitFor('runner', '! systemctl is-active --quiet gcelab-relay-registry-1');
  }
});

test('slow-network: a warm run has the same one connection and one command', async () => {
  await lab('fault', 'slow-network', '200');
  await succeeding({ ...inputs, 'registry-name': 'slow' });
  const seen = await succeeding({ ...inputs, 'registry-name': 'slow' });
  expect(seen.ssh).toEqual({ connections: 1, commands: 1 });
  expect(seen.outputs.changed).toBe('false');
  // TCP, SSH's versions, key exchange, service, login, channel, command: no way there and back is shorter than 0.4 s.
  expect(seen.seconds).toBeGreaterThan(3);
});

describe('the registry, behind a bad proxy', () => {
  const image = 'wire/image:1';
  let push: Record<string, string>;
  beforeAll(async () => {
    await randomImage(image, 3, 8);
    push = { ...inputs, image, tags: 'wire/image:1' };
  });
  afterAll(() => removeImages(image));

  test('registry-502: waited for, before the push and in the middle of it', async () => {
    await lab('fault', 'slow-network', '100');
    await lab('fault', 'registry-502', '2');
    const running = succeeding(push);
    await uploadBegun('wire/image');
    await lab('fault', 'registry-502', '4');
    // For the connections that are still to come.
    await lab('fault', 'slow-network', '1');
    const seen = await running;
    expect(seen.maskedLog).toMatch(/Waiting for the registry, up to 31 s \(.*status 502\); again in 1 s/);
    expect((await struck()).badGateways).toBe(6);
    expect(await served('registry-1', ['wire/image:1'])).toEqual({ 'wire/image:1': seen.outputs.digest });
  });

  test('registry-502 without an end: an error that says so', async () => {
    await lab('fault', 'registry-502', '1000000');
    const seen = await action(push);
    expect(seen.exitCode).toBe(1);
    expect(seen.annotations).toMatchObject([
      {
        level: 'error',
        message: expect.stringMatching(/^Registry not reachable: .*answered with status 502/),
      },
    ]);
  });

  test('registry-reset: what fits into a connection arrives in the end', async () => {
    // More layers than connections: those that carry a second one are reset.
    await randomImage('wire/image:2', 10, 3);
    await lab('fault', 'registry-reset', '5000000');
    const seen = await succeeding({ ...push, image: 'wire/image:2', tags: 'wire/image:2' });
    expect((await struck()).registryResets).toBeGreaterThan(0);
    expect(await served('registry-1', ['wire/image:2'])).toEqual({ 'wire/image:2': seen.outputs.digest });
    await removeImages('wire/image:2');
  });
});
