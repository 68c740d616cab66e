import type { Action } from '../../../../src/instance/plan/steps';
import { stepFailed } from '../../../../src/instance/remote/step-failed';

const DAY = 86_400;
const PULL: Action = { kind: 'pull-images', images: ['registry:3'] };
const INSTALL: Action = { kind: 'install-packages', packages: ['docker-compose-plugin'] };
const KEYRING: Action = { kind: 'install-keyring', url: 'https://download.docker.com/gpg', path: '/k' };
const WRITE: Action = { kind: 'write-file', path: '/etc/x', content: '' };
const START: Action = {
  kind: 'start-containers',
  endpoints: [],
  subnet: null,
  stopFirst: [],
  recreate: [],
  handOver: null,
};

const failed = (action: Action | undefined, lines: readonly string[], clockAhead = 0) =>
  stepFailed(action, 'add packages', { step: 0, status: 100, lastLines: lines }, clockAhead);

/** As the programs print them in the lab (apt 3.0, dpkg 1.22, sqv 1.3, curl 8.14, Docker 26) unless a line says more. */
describe('the output of a step tells the cause', () => {
  test.each<[string, Action, string]>([
    [
      'Instance disk is full',
      PULL,
      'write /var/lib/docker/tmp/GetImageBlob1867614433: no space left on device',
    ],
    ['Instance disk is full', INSTALL, "E: You don't have enough free space in /var/cache/apt/archives/."],
    ['Instance disk is full', WRITE, 'cat: write error: No space left on device'],
    [
      'Instance disk is full',
      START,
      'Error response from daemon: mkdir /var/lib/docker/x: no space left on device',
    ],
    [
      'Package manager is in use',
      INSTALL,
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1362 (unattended-upgr)',
    ],
    [
      'Package manager is in use',
      { kind: 'repair-packages' },
      'dpkg: error: dpkg frontend lock was locked by /usr/bin/perl process with pid 1362',
    ],
    [
      'Packages are in the way',
      INSTALL,
      'apt would remove containerd runc, which this instance uses, for docker-ce docker-ce-cli containerd.io',
    ],
    [
      'Pull limit reached',
      PULL,
      'Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
    ],
    [
      // Docker 29 with containerd's store
      'Pull limit reached',
      PULL,
      'error from registry: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
    ],
    [
      'Wrong signature of a package source',
      INSTALL,
      "E: The repository 'https://download.docker.com/linux/debian trixie InRelease' is not signed.",
    ],
    [
      // apt 2.6 with gpgv, Debian 12
      'Wrong signature of a package source',
      INSTALL,
      'W: GPG error: https://download.docker.com/linux/debian bookworm InRelease: The following signatures were invalid: BADSIG 8D81803C0EBFCD88',
    ],
    [
      'Upstream is down',
      PULL,
      'Error response from daemon: received unexpected HTTP status: 503 Service Unavailable',
    ],
    ['Upstream is down', KEYRING, 'curl: (22) The requested URL returned error: 503'],
    [
      'Upstream is down',
      INSTALL,
      'E: Failed to fetch https://download.docker.com/x.deb  503  Service Unavailable [IP: 198.51.100.1 443]',
    ],
    ['No way out of the instance', KEYRING, 'curl: (28) Connection timed out after 10002 milliseconds'],
    ['No way out of the instance', KEYRING, 'curl: (6) Could not resolve host: download.docker.com'],
    [
      'No way out of the instance',
      INSTALL,
      "E: Failed to fetch http://mirror.example.org/x  Temporary failure resolving 'mirror.example.org'",
    ],
    [
      'No way out of the instance',
      PULL,
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    ],
  ])('%s', (title, action, line) => {
    const error = failed(action, ['Reading package lists...', line, 'Reading package lists...']);
    expect(error.title).toBe(title);
    expect(error.problem.happened).toContain(line.replace(/\.$/, '').replace(/ {2,}/g, ' '));
    expect(error.problem.doing).toBe('setting up the instance: add packages');
  });
});

describe('a wrong clock', () => {
  const refused = 'curl: (60) SSL certificate problem: certificate is not yet valid';

  test.each([
    [-30 * DAY, '30 days behind this runner'],
    [5 * 3600, '5 h ahead of this runner'],
  ])('of %d s is the cause of a certificate that is refused', (ahead, words) => {
    const error = failed(KEYRING, [refused], ahead);
    expect(error.title).toBe('Instance clock is wrong');
    expect(error.problem.happened).toContain(words);
    expect(error.problem.happened).toContain(refused);
  });

  test('is not blamed where it is right, nor for anything else', () => {
    expect(failed(KEYRING, [refused], 60).title).toBe("Docker's key could not be fetched");
    expect(failed(KEYRING, ['curl: (22) The requested URL returned error: 404'], 30 * DAY).title).toBe(
      "Docker's key could not be fetched",
    );
  });
});

describe('what apt could not fetch', () => {
  const signature = 'W: OpenPGP signature verification failed: https://example.test trixie InRelease: bad';
  const between = Array.from({ length: 30 }, (_, line) => `Get:${line}`);

  test('is the cause when it then lacks a package, however long before it was said', () => {
    const lines = [signature, ...between, 'E: Unable to locate package docker-ce'];
    expect(failed(INSTALL, lines).title).toBe('Wrong signature of a package source');
  });

  test('is not when apt stumbles over something else', () => {
    const lines = [signature, ...between, 'E: Sub-process /usr/bin/dpkg returned an error code (1)'];
    expect(failed(INSTALL, lines).title).toBe('Packages could not be installed');
  });
});

test('a container that prints of a refused connection is no way out that is missing', () => {
  expect(failed(START, ['registry-1  | dial tcp 10.0.0.1:6379: connect: connection refused']).title).toBe(
    'Registry did not start',
  );
});
