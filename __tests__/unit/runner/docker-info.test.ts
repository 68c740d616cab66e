import { forgetsOnReload, isAccepted, parseDockerInfo } from '../../../src/runner/docker-info';

const text = JSON.stringify({
  ServerVersion: '28.0.4',
  OperatingSystem: 'Ubuntu 24.04.2 LTS',
  SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless'],
  ContainersRunning: 2,
  ContainersPaused: 1,
  LiveRestoreEnabled: true,
  RegistryConfig: {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', '10.1.0.0/16', 'nonsense'],
    Mirrors: ['https://m.example/'],
    IndexConfigs: {
      'docker.io': { Secure: true },
      'r.example:5000': { Secure: false },
      '[2001:db8::1]:5000': { Secure: false },
    },
  },
});

test('reads what the daemon says about itself', () => {
  expect(parseDockerInfo(text)).toEqual({
    serverVersion: '28.0.4',
    operatingSystem: 'Ubuntu 24.04.2 LTS',
    rootless: true,
    runningContainers: 3,
    hasMirrors: true,
    liveRestore: true,
    insecure: ['r.example:5000', '[2001:db8::1]:5000'],
    insecureNetworks: ['::1/128', '127.0.0.0/8', '10.1.0.0/16', 'nonsense'],
  });
});

test.each(['', '{', 'null', '[]', '{"ServerVersion":"5"}', '{"RegistryConfig":{}}'])(
  '%j is not from Docker',
  (other) => {
    expect(parseDockerInfo(other)).toBeNull();
  },
);

test.each<[string, number, boolean]>([
  ['r.example', 5000, true],
  ['r.example', 5001, false],
  ['[2001:db8::1]', 5000, true],
  ['[2001:db8::2]', 5000, false],
  ['127.0.0.1', 5000, true],
  ['localhost', 5000, true],
  ['[::1]', 5000, true],
  ['10.1.2.3', 5000, true],
  ['10.2.2.3', 5000, false],
])('%s:%i accepted: %s', (host, port, accepted) => {
  const info = parseDockerInfo(text);
  expect(info && isAccepted(info, host, port)).toBe(accepted);
});

test.each<[string, boolean]>([
  ['20.10.24+dfsg1', true],
  ['23.0.6', true],
  ['23.0.7', false],
  ['24.0.0', true],
  ['24.0.0-rc.1', true],
  ['24.0.1', false],
  ['26.1.5+dfsg1', false],
  ['29.10.0', false],
  ['library-import', false],
])('%s forgets on a reload: %s', (version, forgets) => {
  expect(forgetsOnReload(version)).toBe(forgets);
});
