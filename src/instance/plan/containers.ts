import type { Facts } from '../facts/facts';
import type { ContainerFacts } from '../facts/stack';
import { PROJECT } from '../stack/stack';

/** The containers of the stack, running or not. */
export function ourContainers({ containers }: Facts): readonly ContainerFacts[] {
  return containers.filter(({ project }) => project === PROJECT);
}

/** As Compose names the container of a service; others of it are left from a replacement that was cut off. */
export function containerName(service: string): string {
  return `${PROJECT}-${service}-1`;
}

/** The container of one of its services. */
export function ourContainer(facts: Facts, service: string): ContainerFacts | undefined {
  const all = ourContainers(facts).filter((container) => container.service === service);
  return all.find(({ name }) => name === containerName(service)) ?? all[0];
}
