import type { RegistrySettings } from '../../settings/types';
import { sha256 } from '../../values/digest';
import { composeScalar } from '../../values/quote';
import { STACK_DIRECTORY } from './directory';
import { FRONT_FILE, frontConfig } from './front';
import type { LoginRules } from './front-logins';
import { SERVICE_FILES, type Service, servicesOf, templateOf } from './services';

/** One line: the directory that holds the registry's data; empty for the named volume. */
export const DATA_PATH_FILE = `${STACK_DIRECTORY}/data-path`;
/** Name of the Compose project, as in stack/compose.yaml. */
export const PROJECT = 'gce-registry';

export interface StackService extends Service {
  /** Hash of all that the service is made of, kept in a label of its container. */
  readonly spec: string;
}

/** The services as they should be. */
export interface Stack {
  readonly services: readonly StackService[];
  /** Content of the files on the instance, by path; null: no such file. */
  readonly files: Readonly<Record<string, string | null>>;
  /** The file that the front loads without a new container. */
  readonly front: { readonly path: string; readonly content: string };
}

/** What the stack takes from the instance that it is for. */
export interface Surroundings {
  /** Directory of the registry's data on the instance; null: the named volume. */
  readonly dataPath: string | null;
  /** The network of the containers; null: as Docker chooses. */
  readonly subnet: string | null;
  /** Whether programs can listen on addresses of IPv6. */
  readonly ipv6: boolean;
  /** A name in its certificate, for who names none, as of an address; null: it speaks plain HTTP. */
  readonly serverName: string | null;
  /** Null: nobody has to log in. */
  readonly logins: LoginRules | null;
}

/** The stack that the inputs ask for, on such an instance. */
export function stackOf(registry: RegistrySettings, surroundings: Surroundings): Stack {
  const services = servicesOf(registry);
  const rendered = SERVICE_FILES.map((file) => {
    const described = services.filter((service) => service.file === file);
    if (described.length === 0) return { file, text: null, specs: [] };
    return { file, ...render(templateOf(file, registry), described, surroundings) };
  });
  const specs = new Map(rendered.flatMap((each) => each.specs));
  return {
    services: services.map((service) => ({ ...service, spec: specs.get(service.name) ?? '' })),
    files: {
      ...Object.fromEntries(rendered.map(({ file, text }) => [file, text])),
      [DATA_PATH_FILE]: `${surroundings.dataPath ?? ''}\n`,
    },
    front: { path: FRONT_FILE, content: frontConfig(registry, surroundings.serverName, surroundings.logins) },
  };
}

/** Fills in the template of a file; the `SPEC` of each service becomes the hash of what it is made of. */
function render(
  template: string,
  services: readonly Service[],
  surroundings: Surroundings,
): { text: string; specs: readonly (readonly [name: string, spec: string])[] } {
  const filled = fill(template, {
    ...Object.fromEntries(services.flatMap((service) => valuesOf(service, surroundings))),
    NETWORKS: flow(networksOf(surroundings)),
  });
  const specs = services.map(({ name }) => [name, sha256(partFor(filled, name)).slice(0, 16)] as const);
  const words = specs.map(([name, spec]) => [`${name.toUpperCase()}_SPEC`, `"${spec}"`] as const);
  return { text: fill(filled, Object.fromEntries(words)), specs };
}

/** What the template names by the service: `REGISTRY_IMAGE`. */
function valuesOf(service: Service, surroundings: Surroundings): (readonly [string, string])[] {
  const values = {
    ...service.values,
    IMAGE: composeScalar(service.image),
    PORTS: flow(portsOf(service, surroundings)),
    VOLUMES: flow([...volumesOf(service, surroundings), ...mountsOf(service)]),
  };
  return Object.entries(values).map(([key, value]) => [`${service.name.toUpperCase()}_${key}`, value]);
}

/** A compose file without its other services: they begin at two blanks, and what they consist of lies deeper. */
function partFor(file: string, name: string): string {
  let other = false;
  const lines = file.split('\n').filter((line) => {
    const [, service] = /^ {2}([a-z]+):$/.exec(line) ?? [];
    if (service !== undefined) other = service !== name;
    else if (/^\S/.test(line)) other = false;
    return !other;
  });
  return lines.join('\n');
}

/**
 * Ports are published on every address by name: without one, Docker takes the address of `default-network-opts`, which
 * may be 127.0.0.1. https://docs.docker.com/engine/network/drivers/bridge/#default-host-binding-address
 */
function portsOf({ ports }: Service, { ipv6 }: Surroundings): unknown[] {
  const everywhere = ipv6 ? ['0.0.0.0', '::'] : ['0.0.0.0'];
  return ports.flatMap(({ target, published, loopback }) =>
    (loopback ? ['127.0.0.1'] : everywhere).map((host_ip) => ({
      target,
      published: String(published),
      host_ip,
    })),
  );
}

/**
 * Of a directory on the instance only the sub-directory with the data is mounted, and Docker is not to make it: where
 * the disk of the directory is not mounted, as after a boot, the container then does not start, rather than start empty
 * on another disk. Around it is memory, or else the image would get a volume that nobody uses.
 */
function volumesOf({ data }: Service, { dataPath }: Surroundings): unknown[] {
  if (data === null) return [];
  if (dataPath === null) return [{ type: 'volume', source: 'registry-data', target: data.directory }];
  return [
    { type: 'tmpfs', target: data.directory },
    {
      type: 'bind',
      source: `${dataPath}/${data.top}`,
      target: `${data.directory}/${data.top}`,
      bind: { create_host_path: false },
    },
  ];
}

function mountsOf({ mounts }: Service): unknown[] {
  return mounts.map(({ source, target, readOnly }) => ({
    type: 'bind',
    source,
    target,
    read_only: readOnly,
    bind: { create_host_path: false },
  }));
}

function networksOf({ subnet }: Surroundings): unknown {
  return subnet === null ? {} : { default: { ipam: { config: [{ subnet }] } } };
}

/** JSON is YAML; a dollar sign would be Compose's. */
function flow(value: unknown): string {
  return JSON.stringify(value).replaceAll('$', '$$$$');
}

/** Puts values in place of whole lines' `${NAME}`; a value never has a line to itself, so it is not filled again. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/: \$\{([A-Z_]+)\}$/gm, (placeholder, name: string) =>
    values[name] === undefined ? placeholder : `: ${values[name]}`,
  );
}
