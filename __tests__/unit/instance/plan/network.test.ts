import type { Facts } from '../../../../src/instance/facts/facts';
import { subnetOf } from '../../../../src/instance/plan/network';
import { BARE, converged } from '../example';

const at = (cidr: string, device = 'ens4') => ({ cidr, device });
const withAddresses = (facts: Facts, ...addresses: { cidr: string; device: string }[]): Facts => ({
  ...facts,
  network: { ...facts.network, addresses: [...facts.network.addresses, ...addresses] },
});
const withRoutes = (facts: Facts, ...routes: { cidr: string; device: string }[]): Facts => ({
  ...facts,
  network: { ...facts.network, routes: [...facts.network.routes, ...routes] },
});
const withPools = (facts: Facts, base: string): Facts => ({
  ...facts,
  texts: new Map([
    ['/etc/docker/daemon.json', JSON.stringify({ 'default-address-pools': [{ base, size: 24 }] })],
  ]),
});

test.each<[string, Facts, string | null]>([
  ['nothing is near', BARE, null],
  ['the runner is', { ...BARE, client: '172.18.5.9' }, '192.168.240.0/24'],
  ['the VPC is', withAddresses(BARE, at('172.20.0.5/32')), '192.168.240.0/24'],
  ['a VPN of the instance is', withRoutes(BARE, at('192.168.0.0/16', 'wg0')), '172.18.240.0/24'],
  [
    'both are, the first network of a block too, and another network of Docker',
    withAddresses(
      withRoutes(BARE, at('172.16.0.0/12', 'wg0'), at('192.168.0.0/16', 'wg0')),
      at('10.201.0.1/16', 'br-aaaaaaaaaaaa'),
    ),
    '10.202.240.0/24',
  ],
  ['the runner has IPv6', { ...BARE, client: '2001:db8::1' }, null],
  ['Docker’s pools are others, and far', withPools({ ...BARE, client: '172.18.5.9' }, '10.200.0.0/16'), null],
  ['Docker’s pools are others, and near', withPools(BARE, '10.0.0.0/8'), '172.18.240.0/24'],
  ['Docker has networks already', withAddresses(BARE, at('172.17.0.1/16', 'docker0')), null],
  [
    'a VPN is in place of the default route',
    withRoutes(BARE, at('0.0.0.0/1', 'tun0'), at('128.0.0.0/1', 'tun0')),
    '172.18.240.0/24',
  ],
])('the network of the containers where %s', (_, facts, subnet) => {
  expect(subnetOf(facts)).toBe(subnet);
});

describe('a network that stands', () => {
  const chosen = (facts: Facts, subnet: string): Facts => ({
    ...facts,
    network: { ...facts.network, chosen: subnet },
  });

  test.each<[string, Facts, string | null]>([
    ['as Docker chose it', converged(), null],
    ['beside a runner that is near, but outside', { ...converged(), client: '172.19.0.9' }, null],
    ['as it was chosen', chosen(converged(), '192.168.240.0/24'), '192.168.240.0/24'],
    ['as it was chosen, with the containers gone', chosen(BARE, '192.168.240.0/24'), '192.168.240.0/24'],
  ])('stays %s', (_, facts, subnet) => {
    expect(subnetOf(facts)).toBe(subnet);
  });

  test('goes where it covers the runner', () => {
    expect(subnetOf({ ...converged(), client: '172.18.5.9' })).toBe('192.168.240.0/24');
    expect(subnetOf({ ...chosen(converged(), '192.168.240.0/24'), client: '192.168.240.9' })).toBe(
      '172.18.240.0/24',
    );
  });
});
