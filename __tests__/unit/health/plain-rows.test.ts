import { plainRows } from '../../../src/health/plain-rows';
import type { Facts } from '../../../src/instance/facts/facts';
import type { ContainerFacts } from '../../../src/instance/facts/stack';
import { servicesOf } from '../../../src/instance/stack/services';
import { converged, DESIRED } from '../instance/example';

const HEALTHY = converged();
const services = (kind: 'none' | 'private-ca') => servicesOf({ ...DESIRED.registry, tls: { kind } });
const row = (state: string, finding: string) => [{ name: 'Way past the front', state, finding }];
const WELL = row('healthy', 'none, and no port speaks plain HTTP');

/** The registry's container with changes, beside those that there are. */
const beside = (changes: Partial<ContainerFacts>): Facts => {
  const registry = HEALTHY.containers.find(({ service }) => service === 'registry') as ContainerFacts;
  return { ...HEALTHY, containers: [...HEALTHY.containers, { ...registry, ...changes }] };
};
const on = (address: string) => [{ address, port: 5001, target: 5000 }];

test.each<[string, Facts, unknown]>([
  ['what is as it should be', HEALTHY, WELL],
  [
    'ports that speak plain HTTP',
    { ...HEALTHY, plain: ['registry', 'ui'] },
    row('unhealthy', 'port 5000 still speaks plain HTTP; port 18080 still speaks plain HTTP'),
  ],
  [
    'another registry of the same images',
    beside({ name: 'old', project: '', service: '', published: on('0.0.0.0') }),
    row('unhealthy', 'container old publishes port 5001 itself, without TLS or a login'),
  ],
  [
    'one of the loopback',
    beside({ name: 'old', project: '', service: '', published: on('127.0.0.1') }),
    WELL,
  ],
  ['one that publishes nothing', beside({ name: 'old', project: '', service: '', published: [] }), WELL],
  [
    'another registry of other images',
    beside({ name: 'other', project: '', service: '', dataSource: '/srv/other', published: on('0.0.0.0') }),
    WELL,
  ],
  [
    'one of ours that publishes itself',
    beside({ name: 'gce-registry-registry-2', published: on('::') }),
    row('unhealthy', 'container gce-registry-registry-2 publishes port 5001 itself, without TLS or a login'),
  ],
])('%s', (_, facts, expected) => {
  expect(plainRows(facts, services('private-ca'))).toEqual(expected);
});

test('no row where neither TLS nor a login is asked for; one for a login alone', () => {
  expect(plainRows(HEALTHY, services('none'))).toEqual([]);
  const users = { ...HEALTHY.users, wanted: ['ci'] };
  expect(plainRows({ ...HEALTHY, users }, services('none'))).toEqual(row('healthy', 'none'));
});
