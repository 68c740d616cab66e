import { expect, test } from '@jest/globals';
import { bridgeOf, gatewayOf, LAB, LABS, labelOf, networkOf, prefixOf } from '../number.ts';

test('no two labs share a name or an address', () => {
  for (const derive of [prefixOf, networkOf, gatewayOf, bridgeOf, labelOf]) {
    expect(new Set(LABS.map(derive)).size).toBe(LABS.length);
  }
});

test('lab 1 is the default, and Linux takes the names of all bridges', () => {
  expect(LABS).toContain(LAB);
  expect([prefixOf(1), networkOf(1), bridgeOf(1)]).toEqual(['gcelab', '198.51.100', 'gcelab0']);
  for (const lab of LABS) expect(bridgeOf(lab).length).toBeLessThanOrEqual(15);
});
