import type { RegistrySettings } from '../../settings/types';
import { composeScalar } from '../../values/quote';
import { HYPER_TEMPLATE, JOXIT_TEMPLATE, REGISTRY_TEMPLATE } from './templates';

/** Directory of everything that is ours on the instance. */
export const STACK_DIRECTORY = '/etc/gce-registry';
export const COMPOSE_FILE = `${STACK_DIRECTORY}/compose.yaml`;
/** The UI. Compose reads it by itself when it stands beside compose.yaml. */
export const UI_FILE = `${STACK_DIRECTORY}/compose.override.yaml`;
/** Every file that a service can be described in. */
export const SERVICE_FILES: readonly string[] = [COMPOSE_FILE, UI_FILE];

/** A port that a service publishes. */
export interface Port {
  /** Of the instance. */
  readonly published: number;
  /** In the container. */
  readonly target: number;
  /** The input that chooses `published`. */
  readonly input: string;
}

/**
 * One service of the stack. Compose file, facts, health rows, the firewall's ports and the waiting for its answer are
 * made from this: a new service is a new row in `servicesOf`.
 */
export interface Service {
  /** In the compose file. */
  readonly name: string;
  /** What answers its probe, as the health check calls it. */
  readonly title: string;
  readonly image: string;
  /** Compose file that describes it. */
  readonly file: string;
  readonly template: string;
  /** What the template leaves open, besides IMAGE, PORTS and VOLUMES. */
  readonly values: Readonly<Record<string, string>>;
  readonly ports: readonly Port[];
  /** `GET path` on its first port; it is well where the status is one of these. */
  readonly probe: { readonly path: string; readonly good: readonly number[] };
  /** Where its data is in the container; null: it keeps none. */
  readonly data: DataPlace | null;
  /** How bad it is for the registry's users when it is not well. */
  readonly severity: 'unhealthy' | 'degraded';
}

export interface DataPlace {
  readonly directory: string;
  /** The one directory that it makes in there: all of the data is below it. */
  readonly top: string;
}

/** The services that the inputs ask for; the one that keeps the images is the first. */
export function servicesOf(registry: RegistrySettings): readonly Service[] {
  return [registryService(registry), ...uiServices(registry)];
}

/** The ports of the instance that the services publish. */
export function publishedPorts(registry: RegistrySettings): number[] {
  return servicesOf(registry).flatMap(({ ports }) => ports.map(({ published }) => published));
}

function registryService({ image, port }: RegistrySettings): Service {
  return {
    name: 'registry',
    title: 'Registry API',
    image,
    file: COMPOSE_FILE,
    template: REGISTRY_TEMPLATE,
    values: {},
    ports: [{ published: port, target: 5000, input: 'registry-port' }],
    // 401: somebody secured it by hand.
    probe: { path: '/v2/', good: [200, 401] },
    data: { directory: '/var/lib/registry', top: 'docker' },
    severity: 'unhealthy',
  };
}

function uiServices({ ui, uiImage, uiPort, title }: RegistrySettings): Service[] {
  if (ui === 'none' || uiImage === null) return [];
  const joxit = ui === 'joxit';
  return [
    {
      name: 'ui',
      title: 'Web UI',
      image: uiImage,
      file: UI_FILE,
      template: joxit ? JOXIT_TEMPLATE : HYPER_TEMPLATE,
      values: { TITLE: composeScalar(joxit ? joxitTitle(title) : title) },
      ports: [{ published: uiPort, target: joxit ? 80 : 8080, input: 'ui-port' }],
      probe: { path: '/', good: [200, 401] },
      data: null,
      severity: 'degraded',
    },
  ];
}

/**
 * The image of joxit/docker-registry-ui puts the title into an attribute of its page with
 * `sed "s~\${REGISTRY_TITLE}~${REGISTRY_TITLE}~"`, so what HTML or sed would take for its own is written as a
 * character reference, with its `&` escaped for sed.
 *
 * https://github.com/Joxit/docker-registry-ui/blob/main/bin/90-docker-registry-ui.sh
 */
export function joxitTitle(title: string): string {
  return title.replace(/[&<>"'`~\\{}$]/g, (character) => `\\&#${character.charCodeAt(0)};`);
}
