import { portsLeaving } from '../../../src/modes/ports-leaving';
import { BARE, converged, DESIRED } from '../instance/example';

const facts = converged({ ...DESIRED, registry: { ...DESIRED.registry, port: 80 } });
const inside = facts.containers.map((each) => ({
  ...each,
  published: each.published.map((port) => ({ ...port, address: '127.0.0.1' })),
}));

test.each([
  ['the ports stay', converged(), [5000, 18080], []],
  ['another port', converged(), [5001, 18080], [5000]],
  ['one port for both', converged(), [443], [5000, 18080]],
  ['nothing runs', BARE, [5000], []],
  ['the loopback alone', { ...converged(), containers: inside }, [5001], []],
  // The rule for challenges is one of its own.
  ['the port for challenges', facts, [5000, 18080], []],
])('ports that the front lets go of: %s', (_case, given, wanted, leaving) => {
  expect(portsLeaving(given, wanted)).toEqual(leaving);
});
