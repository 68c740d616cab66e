import { isIPv4 } from 'node:net';
import { overlap } from '../../values/networks';
import type { Facts } from '../facts/facts';
import { ourContainers } from './containers';
import { DAEMON_CONFIG } from './daemon-plan';

/** What Docker takes networks from. https://github.com/moby/moby/blob/v28.0.0/daemon/libnetwork/ipamutils/utils.go */
const DOCKER_POOLS = ['172.16.0.0/12', '192.168.0.0/16'];

/** Where a network of ours may be: private ranges (RFC 1918), and of each the third of its parts that people use least. */
const BLOCKS = [
  { within: '172.16.0.0/12', networks: numbers(18, 31).map((n) => `172.${n}.240.0/24`) },
  { within: '192.168.0.0/16', networks: numbers(240, 254).map((n) => `192.168.${n}.0/24`) },
  { within: '10.0.0.0/8', networks: numbers(201, 254).map((n) => `10.${n}.240.0/24`) },
];

/**
 * The network of the containers, as a CIDR; null: Docker may choose. It must not cover the addresses that the instance
 * talks to: the runner's, and those of its VPC, of which an instance has only its own /32 and its gateway's, so the /16
 * around each is kept free. What stands and covers none of them stays.
 *
 * https://cloud.google.com/vpc/docs/create-modify-vpc-networks#alias-ranges
 */
export function subnetOf(facts: Facts): string | null {
  const { network, client } = facts;
  const others = [...network.addresses, ...network.routes].filter(({ device }) => !isOfDocker(device));
  const needed = [
    ...(isIPv4(client) ? [`${client}/32`] : []),
    ...others.filter(({ device, cidr }) => device !== 'lo' && !isWide(cidr)).map(({ cidr }) => cidr),
  ].map(widened);
  const collides = (cidr: string) => needed.some((each) => overlap(each, cidr));

  const bridge = bridgeOf(facts);
  const present = network.chosen !== '' ? network.chosen : bridge?.cidr;
  if (present !== undefined && !collides(present)) return network.chosen === '' ? null : network.chosen;
  // Docker finds no network that is outside of such a route: https://github.com/docker/for-linux/issues/599
  const isCovered = others.some(({ cidr }) => isWide(cidr));
  if (present === undefined && !isCovered && !poolsOf(facts).some(collides)) return null;

  const ofDocker = network.addresses.filter(({ device }) => isOfDocker(device) && device !== bridge?.device);
  const isFree = (cidr: string) => !collides(cidr) && !ofDocker.some((each) => overlap(each.cidr, cidr));
  const [quiet, rest] = [
    BLOCKS.filter(({ within }) => !collides(within)),
    BLOCKS.filter(({ within }) => collides(within)),
  ];
  return [...quiet, ...rest].flatMap(({ networks }) => networks).find(isFree) ?? null;
}

/** The bridge of our containers' network, with its address. */
function bridgeOf(facts: Facts): { readonly cidr: string; readonly device: string } | undefined {
  const id = ourContainers(facts).find(({ networkId }) => networkId !== '')?.networkId;
  if (id === undefined) return undefined;
  return facts.network.addresses.find(({ device }) => device === `br-${id.slice(0, 12)}`);
}

function isOfDocker(device: string): boolean {
  return /^(docker\d+|docker_gwbridge|br-[0-9a-f]{12}|veth.*)$/.test(device);
}

/** Pools of daemon.json are somebody's choice; a file that is no JSON is refused elsewhere, where it matters. */
function poolsOf({ texts }: Facts): readonly string[] {
  try {
    const config = JSON.parse(texts.get(DAEMON_CONFIG) ?? '{}');
    const bases = config['default-address-pools'].map(({ base }: { base: unknown }) => String(base));
    return bases.length > 0 ? bases : DOCKER_POOLS;
  } catch {
    return DOCKER_POOLS;
  }
}

/** A route in place of the default one, as VPNs set them: 0.0.0.0/1 and 128.0.0.0/1. */
function isWide(cidr: string): boolean {
  return Number(cidr.split('/')[1] ?? 32) < 8;
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A single address, or a small network, with its neighbours. */
function widened(cidr: string): string {
  const [address, prefix = '32'] = cidr.split('/');
  return `${address}/${Math.min(Number(prefix), 16)}`;
}
