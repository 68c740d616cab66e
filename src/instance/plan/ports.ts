import { ActionError } from '../../values/errors';
import type { Facts } from '../facts/facts';
import type { ContainerFacts } from '../facts/stack';
import { type Port, servicesOf } from '../stack/services';
import { PROJECT } from '../stack/stack';
import { ourContainers } from './containers';
import type { Desired } from './desired';

/**
 * Refuses ports that somebody else has. One that is to be published on all addresses must be free on each of them.
 *
 * @throws ActionError `Port in use`
 */
export function requirePorts({ registry }: Desired, facts: Facts): void {
  for (const port of portsOf(registry)) requirePort(facts, port);
}

/** Containers that do not run now, and that Docker starts when it starts next, with one of our ports. */
export function portNotes({ registry }: Desired, facts: Facts): string[] {
  return portsOf(registry).flatMap(({ published, input }) =>
    othersContainers(facts)
      .filter(({ state, restartPolicy, asked }) => {
        // `unless-stopped` stays stopped; https://docs.docker.com/engine/containers/start-containers-automatically/
        const returns = restartPolicy === 'always' && (state === 'exited' || state === 'created');
        return returns && has(asked, published);
      })
      .map(
        ({ name, image }) =>
          `the stopped container ${name} (${image}) also publishes port ${published} (${input}), and Docker starts it ` +
          'at the next boot, perhaps before ours: `sudo docker update --restart=no` keeps it from that',
      ),
  );
}

function portsOf(registry: Desired['registry']): readonly Port[] {
  return servicesOf(registry).flatMap(({ ports }) => ports);
}

function othersContainers({ containers }: Facts): readonly ContainerFacts[] {
  return containers.filter(({ project }) => project !== PROJECT);
}

function has(published: ContainerFacts['asked'], port: number): boolean {
  return published.some((each) => each.port === port);
}

/** The second where daemon.json has `"userland-proxy": false`. */
const DOCKERS_PROGRAMS: ReadonlySet<string> = new Set(['docker-proxy', 'dockerd']);

/** Whether a program or a container that has an address keeps a port of ours from being published. */
function isInTheWay(address: string, { loopback }: Port): boolean {
  return (
    !loopback || /^(|\*|0\.0\.0\.0|127\.0\.0\.1|\[?::\]?|\[?::ffff:127\.0\.0\.1\]?)(%.*)?$/.test(address)
  );
}

function requirePort(facts: Facts, wanted: Port): void {
  const { published: port, input } = wanted;
  const taken = (happened: string, next: string) =>
    new ActionError('Port in use', {
      doing: `checking that port ${port} (${input}) of the instance is free`,
      happened,
      next: `${next}, or choose another ${input}`,
    });

  const other = othersContainers(facts).find(({ published }) =>
    published.some((each) => each.port === port && isInTheWay(each.address, wanted)),
  );
  if (other !== undefined) {
    const { name, image, project, published } = other;
    const ports = published.map((each) => each.port);
    const [first, last] = [Math.min(...ports), Math.max(...ports)];
    const range = first === last ? 'it' : `it, among its ports from ${first} to ${last}`;
    const origin = project === '' ? image : `${image}, of the Compose project ${project}`;
    throw taken(`the container ${name} (${origin}) publishes ${range}`, 'Stop that container');
  }
  const listener = facts.listeners.find(
    (candidate) => candidate.port === port && isInTheWay(candidate.address, wanted),
  );
  if (listener === undefined) return;
  const at = `${listener.address}:${port}`;
  if (DOCKERS_PROGRAMS.has(listener.process)) {
    // One of ours that is just being started may have its port already.
    if (ourContainers(facts).length > 0) return;
    throw taken(
      `${listener.process} listens on ${at} for no container: its container ended without it`,
      'Restart Docker on the instance (`sudo systemctl restart docker`)',
    );
  }
  if (ourContainers(facts).some(({ published }) => has(published, port))) return;
  if (listener.process === 'systemd') {
    throw taken(
      `a socket unit of systemd listens on ${at}`,
      'Stop and disable that unit (`systemctl list-sockets` names it)',
    );
  }
  throw taken(
    `${listener.process === '' ? 'a program' : listener.process} listens on ${at}`,
    'Stop that program',
  );
}
