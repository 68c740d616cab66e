import { dockerPlace, environmentAt, isDockerPlace } from '../../../src/leases/docker-place';

test('commands of the post step see the daemon of the main step, whatever was set since', () => {
  const place = dockerPlace(
    { PATH: '/usr/bin', DOCKER_HOST: 'unix:///run/second.sock', SECRET: 's' },
    '/home/ci/.docker',
  );
  expect(JSON.stringify(place)).not.toContain('SECRET');
  const now = {
    PATH: '/evil',
    DOCKER_CONTEXT: 'other',
    DOCKER_HOST: 'tcp://x',
    DOCKER_CONFIG: '/x',
    LANG: 'C',
  };
  expect(environmentAt(place, now)).toEqual({
    PATH: '/usr/bin',
    DOCKER_HOST: 'unix:///run/second.sock',
    DOCKER_CONFIG: '/home/ci/.docker',
    LANG: 'C',
  });
});

test.each([
  [{ environment: {} }, true],
  [{ environment: { PATH: '/usr/bin' } }, true],
  [{ environment: { LD_PRELOAD: '/x.so' } }, false],
  [{ environment: { PATH: 7 } }, false],
  [{ environment: { PATH: 'a\nb' } }, false],
  [{}, false],
  [null, false],
])('%j', (value, expected) => expect(isDockerPlace(value)).toBe(expected));
