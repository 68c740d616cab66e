import type { Facts } from '../facts/facts';
import type { ContainerFacts } from '../facts/stack';
import { PROJECT } from '../stack/stack';

/** The containers of the stack, running or not. */
export function ourContainers({ containers }: Facts): readonly ContainerFacts[] {
  return containers.filter(({ project }) => project === PROJECT);
}

/** The container of one of its services. */
export function ourContainer(facts: Facts, service: string): ContainerFacts | undefined {
  return ourContainers(facts).find((container) => container.service === service);
}
