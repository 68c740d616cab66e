import {
  beginStory,
  converging,
  failing,
  hasPackage,
  lackImage,
  lackPackage,
  recovering,
  type Story,
} from './faults';
import { randomImage } from './images';
import { lab, output, run } from './lab';
import { fingerprint, restartDocker, served } from './machines';

/**
 * What goes wrong on the instance: each is recovered from within a time that the log states, or ends with an error that
 * names cause and remedy; the next run then does what is left.
 */
// Docker itself tries a push that fails again for a minute.
jest.setTimeout(600_000);

let story: Story;

beforeAll(async () => {
  story = await beginStory();
});
afterAll(() => lab('fault', 'clear'));

test('apt-lock: the run waits for the other program, and says for which and how long at most', async () => {
  await lackPackage();
  await lab('fault', 'apt-lock', '8');
  const { maskedLog } = await converging(story);
  expect(maskedLog).toMatch(
    /^Waiting for another program that uses apt, up to 300 s: .*\/var\/lib\/apt\/lists\/lock.*unattended-upgr/m,
  );
  expect(await hasPackage()).toBe(true);
  await lab('fault', 'clear');
});

test('dpkg-interrupted: the run finishes what dpkg had begun, where it needs a package', async () => {
  await lackPackage();
  await lab('fault', 'dpkg-interrupted');
  expect(await output('registry-1', 'dpkg --audit')).toContain('gcelab-interrupted');
  expect((await converging(story)).outputs.changed).toBe('true');
  expect(await output('registry-1', 'dpkg --audit; ls /var/lib/dpkg/updates')).toBe('');
  expect(await output('registry-1', 'dpkg --status gcelab-interrupted | grep ^Status')).toBe(
    'Status: install ok installed',
  );
  await lab('fault', 'clear');
});

describe('disk-full', () => {
  test('before the run: refused before anything is changed', async () => {
    await lackImage();
    await lab('fault', 'disk-full');
    const before = await fingerprint();
    const { message } = await failing(story, 'Too little disk space');
    expect(message).toMatch(/\/var\/lib\/docker.* 0 MiB are free, and 256 MiB are needed.*enlarge the disk/);
    expect(await fingerprint()).toBe(before);
    await recovering(story);
  });

  test.each([
    ['apt fetches packages', lackPackage, []],
    ['Docker pulls an image', lackImage, ['1']],
  ])('while %s: the error names it', async (_while, lack, mebibytes) => {
    await lack();
    await lab('fault', 'disk-full', ...mebibytes);
    const { message } = await failing(story, 'Instance disk is full');
    expect(message).toMatch(/no space left on device|enough free space/i);
    await recovering(story);
  });
});

test('disk-full while an image is pushed: the error names the disk of the registry', async () => {
  await randomImage('large:1', 1, 100);
  const large = { image: 'large:1', tags: 'large' };
  await lab('fault', 'disk-full', '4');
  const { message } = await failing(story, 'Registry disk is full', large);
  expect(message).toMatch(/the disk at \/var\/lib\/docker of the instance has \d MiB .*enlarge the disk/);
  expect(await served('registry-1', ['test:latest'])).toEqual(story.images);
  await lab('fault', 'clear');
  const { outputs } = await converging(story, large);
  expect(await served('registry-1', ['large:latest'])).toEqual({ 'large:latest': outputs.digest });
});

describe('clock-skew', () => {
  test.each([
    ['-40', '40 days behind'],
    ['500', '500 days ahead of'],
  ])('%s days: the error blames the clock, not the certificate', async (days, words) => {
    await lackPackage();
    await lab('fault', 'clock-skew', days);
    const { message } = await failing(story, 'Instance clock is wrong');
    expect(message).toContain(`the clock of the instance is ${words} this runner's`);
    expect(message).toMatch(/certificate.*timedatectl/);
    expect(await hasPackage()).toBe(false);
    await recovering(story);
  });

  test('an instance that is set up needs no right clock; the log says that it is wrong', async () => {
    await lab('fault', 'clock-skew', '500');
    const { outputs, maskedLog } = await converging(story);
    expect(outputs.changed).toBe('false');
    expect(maskedLog).toMatch(/^instance: its clock is 500 days ahead of this runner's$/m);
    await lab('fault', 'clear');
  });
});

describe('no-internet', () => {
  test('an instance that is set up needs none', async () => {
    await lab('fault', 'no-internet');
    expect((await converging(story)).outputs.changed).toBe('false');
  });

  test('otherwise the error says what is missing, after a stated time', async () => {
    await lackPackage();
    const { message, seen } = await failing(story, 'No way out of the instance');
    expect(message).toContain('without an external address it needs Cloud NAT');
    expect(seen.maskedLog).toContain('linux/debian/gpg (up to 60 s, with retries)');
    await recovering(story);
  });
});

test('host-key-changed: no connection, no key offered; the error shows what was offered', async () => {
  await lab('fault', 'host-key-changed');
  const line = await output('registry-1', 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
  const { message, seen } = await failing(story, 'Wrong host key');
  expect(message).toContain(String(line.split(' ')[1]));
  expect(seen.ssh.connections).toBe(0);
  await lab('fault', 'clear');
  expect((await converging(story)).outputs.changed).toBe('false');
});

test('a flush of iptables: the run says that the containers are cut off, and the remedy is one', async () => {
  // The policy is Docker's, where it was Docker that turned forwarding on: on the lab's host it was on before.
  await output('registry-1', 'iptables -P FORWARD DROP && iptables -F');
  const { message } = await failing(story, 'Containers are cut off');
  expect(message).toContain('sudo systemctl restart docker');
  await restartDocker('registry-1');
  await converging(story);
  await output('registry-1', 'iptables -P FORWARD ACCEPT');
});

test('the lab refuses faults that make no sense', async () => {
  for (const words of [['apt-lock'], ['apt-lock', 'long'], ['disk-full', '1', '2'], ['no-such-fault']]) {
    expect((await run('bin/lab', ['fault', ...words])).status).toBe(1);
  }
});
