import { HealthRows } from '../../../src/health/health-rows';

test('what fails is a row, and the rest goes on', async () => {
  const rows = new HealthRows();
  expect(
    await rows.add(
      'a',
      async () => 7,
      (found) => `found ${found}`,
    ),
  ).toBe(7);
  expect(
    await rows.add(
      'b',
      () => Promise.reject(new Error('broken')),
      () => '',
    ),
  ).toBeNull();
  await rows.addAll('c', async () => [{ name: 'c1', state: 'degraded', finding: 'so so' }]);
  await rows.addAll('d', () => Promise.reject(new Error('gone')));
  expect(rows.all).toEqual([
    { name: 'a', state: 'healthy', finding: 'found 7' },
    { name: 'b', state: 'unhealthy', finding: 'broken' },
    { name: 'c1', state: 'degraded', finding: 'so so' },
    { name: 'd', state: 'unhealthy', finding: 'gone' },
  ]);
});
