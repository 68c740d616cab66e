import { isIPv4 } from 'node:net';
import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';
import type { Facts } from '../facts/facts';
import { type Port, type Service, servicesOf } from '../stack/services';
import { ourContainer } from './containers';
import { DAEMON_CONFIG } from './daemon-plan';
import type { Desired } from './desired';
import { fateIn, type Packet } from './packets/chains';
import { iptablesChains } from './packets/iptables';
import { nftTable } from './packets/nftables';

/**
 * Refuses an instance whose own firewall drops what comes for the registry, as far as its rules say so for certain:
 * Google's firewall may let a packet in, and the kernel asks every table of nftables besides Docker's own rules.
 *
 * https://docs.docker.com/engine/network/packet-filtering-firewalls/
 * https://wiki.nftables.org/wiki-nftables/index.php/Configuring_chains
 *
 * @throws ActionError `Containers are cut off`, `The firewall of the instance is in the way`
 */
export function requireWayIn(desired: Desired, facts: Facts): void {
  requireDockersRules(facts);
  const services = servicesOf(desired.registry);
  for (const service of services) {
    for (const port of fromOutside(service).filter(({ severity }) => severity === 'unhealthy')) {
      const obstacle = obstaclesOf(service, port, desired, facts).find(({ certain }) => certain);
      if (obstacle !== undefined) throw inTheWay(obstacle, port, services);
    }
  }
}

/** Firewalls that may be in the way, and those that keep people from a service that is not vital. */
export function firewallNotes(desired: Desired, facts: Facts): string[] {
  const notes = servicesOf(desired.registry).flatMap((service) =>
    fromOutside(service).flatMap((port) =>
      obstaclesOf(service, port, desired, facts).map(
        ({ certain, table, by }) =>
          `the firewall of the instance (${table}: ${excerpt(by)}) ${certain ? 'drops' : 'decides over'} what comes ` +
          `for port ${port.published} (${port.input})`,
      ),
    ),
  );
  return [...new Set(notes)];
}

/** What comes from the loopback, as through SSH, passes no such rules. */
function fromOutside({ ports }: Service): readonly Port[] {
  return ports.filter(({ loopback }) => !loopback);
}

/** A firewall that drops a packet, or may drop it. */
interface Obstacle {
  readonly owner: 'nftables' | 'firewalld' | 'ufw' | 'DOCKER-USER' | 'iptables';
  /** `inet filter`, or `iptables`. */
  readonly table: string;
  readonly chain: string;
  readonly by: string;
  readonly certain: boolean;
  readonly packet: Packet;
}

function obstaclesOf(service: Service, port: Port, desired: Desired, facts: Facts): Obstacle[] {
  const packet = packetFor(service, port, desired, facts);
  return [...iptablesObstacles(packet, facts), ...nftablesObstacles(packet, facts)];
}

/** How a packet from outside comes to a service: to its container, or, where Docker writes no rules, to docker-proxy. */
function packetFor(
  { name }: Service,
  { published, target, forChallenges }: Port,
  { pushes }: Desired,
  facts: Facts,
): Packet {
  const container = ourContainer(facts, name);
  const runs = container?.published.some((each) => each.port === published) ?? false;
  const { translations, dockerUsesNftables } = facts.packetRules;
  const translated = new RegExp(`--dport ${published} .*-j DNAT`).test(translations);
  const proxied = runs ? !translated && !dockerUsesNftables : writesNoRules(facts);
  const devices = facts.network.addresses
    .map(({ device }) => device)
    .filter((device) => !OF_DOCKER.test(device));
  const network = container?.networkId ?? '';
  return {
    hook: proxied ? 'input' : 'forward',
    inDevice: new Set(devices).size === 1 ? (devices[0] ?? null) : null,
    outDevice: proxied ? null : network === '' ? 'br-' : `br-${network.slice(0, 12)}`,
    // Where this runner does not push, others may be let in and it not.
    source: pushes && forChallenges !== true && isIPv4(facts.client) ? `${facts.client}/32` : null,
    destination: proxied ? null : networkOf(network, facts),
    port: proxied ? published : target,
    originalPort: published,
  };
}

/** The network of the containers, once it is there. */
function networkOf(id: string, { network }: Facts): string | null {
  if (network.chosen !== '') return network.chosen;
  return (
    network.addresses.find(({ device }) => id !== '' && device === `br-${id.slice(0, 12)}`)?.cidr ?? null
  );
}

const OF_DOCKER = /^(lo|docker.*|br-.*|veth.*)$/;

function writesNoRules({ texts }: Facts): boolean {
  return /"iptables"\s*:\s*false/.test(texts.get(DAEMON_CONFIG) ?? '');
}

/**
 * Docker writes rules of its own before all others, which let a packet through once its container is there; before
 * that, only those that are asked before Docker's tell something.
 */
function iptablesObstacles(packet: Packet, facts: Facts): Obstacle[] {
  const { filter, translations } = facts.packetRules;
  const chains = iptablesChains(filter, packet);
  const isThere = new RegExp(`--dport ${packet.originalPort} .*-j DNAT`).test(translations);
  const obstacle = (chain: string, known: Obstacle['owner'], mustBeCertain: boolean): Obstacle[] => {
    if (!chains.has(chain)) return [];
    const fate = fateIn(chains, chain);
    const certain = fate.kind === 'drop';
    if (fate.kind !== 'drop' && (mustBeCertain || fate.kind !== 'unknown')) return [];
    const owner = fate.by.includes('ufw-') ? 'ufw' : known;
    return [{ owner, table: 'iptables', chain, by: fate.by, certain, packet }];
  };
  if (packet.hook === 'input') return obstacle('INPUT', 'iptables', true);
  const whole = isThere ? obstacle('FORWARD', 'DOCKER-USER', true) : [];
  return whole.length > 0 ? whole : obstacle('DOCKER-USER', 'DOCKER-USER', false);
}

function nftablesObstacles(packet: Packet, { packetRules }: Facts): Obstacle[] {
  return packetRules.nftables.flatMap((document) => {
    const table = nftTable(document, packet);
    if (table === null) return [];
    const owner = table.name === 'inet firewalld' ? 'firewalld' : 'nftables';
    return table.begins.flatMap((chain): Obstacle[] => {
      const fate = fateIn(table.chains, chain);
      if (fate.kind !== 'drop' && fate.kind !== 'unknown') return [];
      const certain = fate.kind === 'drop';
      return [{ owner, table: table.name, chain, by: fate.by, certain, packet }];
    });
  });
}

function inTheWay(obstacle: Obstacle, { published, input }: Port, services: readonly Service[]): ActionError {
  return new ActionError('The firewall of the instance is in the way', {
    doing: `checking the way to port ${published} (${input}) through the instance's own firewall`,
    happened: `${obstacle.table === 'iptables' ? 'iptables' : `the table ${obstacle.table} of nftables`} drops what comes for it from outside: ${excerpt(obstacle.by)}`,
    next: `${remedy(obstacle, services)}, and run again; Google's firewall still decides who can reach the ports`,
  });
}

function remedy({ owner, table, chain, packet }: Obstacle, services: readonly Service[]): string {
  const ports = services.flatMap((service) => service.ports);
  const published = ports.map((port) => port.published).join(',');
  const targets = [...new Set(ports.map((port) => port.target))].join(',');
  const isInput = packet.hook === 'input';
  switch (owner) {
    case 'firewalld':
      return isInput
        ? `Allow the ports: \`sudo firewall-cmd --permanent ${ports.map((port) => `--add-port=${port.published}/tcp`).join(' ')} && sudo firewall-cmd --reload\``
        : 'Let firewalld pass what Docker publishes: `StrictForwardPorts=no` in /etc/firewalld/firewalld.conf, and no policy that rejects it; then `sudo firewall-cmd --reload`';
    case 'ufw':
      return isInput
        ? `Allow the ports: \`sudo ufw allow proto tcp from any to any port ${published}\``
        : `Allow the ports of the containers: \`sudo ufw route allow proto tcp from any to any port ${targets}\``;
    case 'DOCKER-USER':
      return `Allow the ports before the rule that drops: ${ports.map((port) => `\`sudo iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport ${port.published} --ctdir ORIGINAL -j ACCEPT\``).join(', ')}, and keep them where your other rules are kept`;
    case 'iptables':
      return `Allow the ports: \`sudo iptables -I INPUT -p tcp -m multiport --dports ${published} -j ACCEPT\`, and keep it where your other rules are kept`;
    case 'nftables':
      return isInput
        ? `Allow the ports: \`sudo nft insert rule ${table} ${chain} tcp dport '{ ${published} }' accept\`, and in /etc/nftables.conf`
        : `Allow what Docker passes on to its containers: \`sudo nft insert rule ${table} ${chain} ct status dnat accept\`, and in /etc/nftables.conf`;
  }
}

/** Only a restart of Docker writes its rules again, and that stops containers that may be others': not ours to do. */
function requireDockersRules({ packetRules }: Facts): void {
  const { filter, translations } = packetRules;
  const forward = filter.split('\n').filter((line) => /^-[PA] FORWARD /.test(line));
  const flushed = forward.length === 1 && forward[0] === '-P FORWARD DROP';
  if (!flushed || !translations.includes(' -j DNAT ')) return;
  throw new ActionError('Containers are cut off', {
    doing: 'checking the way to the containers of the instance',
    happened:
      "Docker's rules in the table filter of iptables are gone (`iptables -F` removes them, or a firewall that starts anew), and without them the kernel drops what comes from outside for a published port",
    next: 'Restart Docker on the instance (`sudo systemctl restart docker`, which restarts its containers), and see what flushes the rules',
  });
}
