import { lifetimeMs } from '../../../src/leases/lifetime';

const HOUR = 60 * 60 * 1000;

test.each([
  ['github-hosted', 6],
  ['self-hosted', 120],
  ['something new', 120],
  [undefined, 120],
])('on a runner that is %s leases outlast the longest job, of %i hours', (environment, hours) => {
  const lifetime = lifetimeMs(environment);
  expect(lifetime).toBeGreaterThanOrEqual((hours + 0.5) * HOUR);
  expect(lifetime).toBeLessThan((hours + 2) * HOUR);
});
