import { MAX_TAGS, MAX_TOTAL_BYTES, MAX_VALUE_BYTES } from '../compute/instance-check.ts';
import type { Instance, MetadataItem, Project } from '../compute/world.ts';

/** A state of one instance, or of its project, that a run cannot work with; as an owner could have made it. */
export interface InstanceFault {
  start(instance: Instance, project: Project): void;
  /** Nothing happens where it is off. */
  end(instance: Instance, project: Project): void;
}

const OS_LOGIN = { key: 'enable-oslogin', value: 'TRUE' };
const GUEST_ATTRIBUTES = { key: 'enable-guest-attributes', value: 'TRUE' };
const FILLER = 'lab-filler-';

/** Faults by name. */
export const INSTANCE_FAULTS: Readonly<Record<string, InstanceFault>> = {
  'metadata-full': {
    start: (instance) => {
      instance.metadata = filledMetadata(instance.metadata);
    },
    end: (instance) => {
      instance.metadata = instance.metadata.filter(({ key }) => !key.startsWith(FILLER));
    },
  },
  'tags-full': {
    start: (instance) => {
      const missing = MAX_TAGS - instance.tags.length;
      const filler = Array.from({ length: missing }, (_, index) => `${FILLER}${index}`);
      instance.tags = [...instance.tags, ...filler];
    },
    end: (instance) => {
      instance.tags = instance.tags.filter((tag) => !tag.startsWith(FILLER));
    },
  },
  oslogin: {
    start: (instance) => {
      instance.metadata = [...without(instance.metadata, OS_LOGIN.key), OS_LOGIN];
    },
    end: (instance) => {
      instance.metadata = without(instance.metadata, OS_LOGIN.key);
    },
  },
  'oslogin-project': {
    start: (_, project) => {
      project.metadata = [...without(project.metadata, OS_LOGIN.key), OS_LOGIN];
    },
    end: (_, project) => {
      project.metadata = without(project.metadata, OS_LOGIN.key);
    },
  },
  // The agent publishes its host keys when it starts, so what is taken away is kept.
  'no-guest-attributes': {
    start: (instance) => {
      if (instance.withheld !== null) return;
      instance.withheld = new Map(instance.guestAttributes);
      instance.guestAttributes.clear();
      instance.metadata = without(instance.metadata, GUEST_ATTRIBUTES.key);
    },
    end: (instance) => {
      if (instance.withheld === null) return;
      for (const [path, value] of instance.withheld) instance.guestAttributes.set(path, value);
      instance.withheld = null;
      instance.metadata = [GUEST_ATTRIBUTES, ...without(instance.metadata, GUEST_ATTRIBUTES.key)];
    },
  },
  ...shapes('ipv6-only', 'no-external-address', 'two-nics', 'windows'),
};

function shapes(...names: readonly string[]): Record<string, InstanceFault> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      { start: ({ shape }) => shape.add(name), end: ({ shape }) => shape.delete(name) },
    ]),
  );
}

function without(items: readonly MetadataItem[], key: string): MetadataItem[] {
  return items.filter((item) => item.key !== key);
}

/** Entries up to the last byte that all of them together may have. */
function filledMetadata(items: readonly MetadataItem[]): MetadataItem[] {
  const filled = [...items];
  const size = () => filled.reduce((sum, { key, value }) => sum + key.length + Buffer.byteLength(value), 0);
  for (let index = 0; size() < MAX_TOTAL_BYTES; index++) {
    const key = `${FILLER}${index}`;
    const room = MAX_TOTAL_BYTES - size() - key.length;
    if (room < 0) break;
    filled.push({ key, value: 'x'.repeat(Math.min(room, MAX_VALUE_BYTES)) });
  }
  return filled;
}
