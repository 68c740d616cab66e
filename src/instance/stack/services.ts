import type { RegistrySettings } from '../../settings/types';
import { CHALLENGE_PORT } from '../../values/challenge-port';
import { composeScalar } from '../../values/quote';
import { ACME_DIRECTORY, ACME_MOUNT } from './acme';
import { STACK_DIRECTORY } from './directory';
import { FRONT_LOG_DIRECTORY } from './front-log';
import { HYPER_TEMPLATE, JOXIT_TEMPLATE, STACK_TEMPLATE } from './templates';

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
  /** It is published on the loopback of the instance alone. */
  readonly loopback: boolean;
  /** The input that chooses `published`. */
  readonly input: string;
  /** How bad it is for the registry's users when nobody reaches it. */
  readonly severity: Severity;
  /** Certificate authorities come to it, from addresses that they do not publish, and nobody else has anything there. */
  readonly forChallenges?: true;
}

export type Severity = 'unhealthy' | 'degraded';

/**
 * One service of the stack. Compose file, facts, health rows, the firewall's ports and the waiting for its answer are
 * made from this: a new service is a new row in `servicesOf`.
 */
export interface Service {
  /** In the compose file. */
  readonly name: string;
  readonly image: string;
  /** Compose file that describes it. */
  readonly file: string;
  /** What its part of that file leaves open, besides IMAGE, PORTS and VOLUMES. */
  readonly values: Readonly<Record<string, string>>;
  readonly ports: readonly Port[];
  /** How it is asked whether it is well; null: by its container's own health check alone. */
  readonly probe: Probe | null;
  /** Where its data is in the container; null: it keeps none. */
  readonly data: DataPlace | null;
  /** Directories of the instance that it sees; they are there before it. */
  readonly mounts: readonly Mount[];
  /** How bad it is for the registry's users when it is not well. */
  readonly severity: Severity;
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** `GET path` on a port of the instance, through the front. */
export interface Probe {
  /** What answers, as the health check calls it. */
  readonly title: string;
  readonly scheme: 'http' | 'https';
  readonly port: number;
  readonly path: string;
  /** It is well where the status is one of these. */
  readonly good: readonly number[];
}

export interface DataPlace {
  readonly directory: string;
  /** The one directory that it makes in there: all of the data is below it. */
  readonly top: string;
}

/** The services that the inputs ask for; the one that keeps the images is the first. */
export function servicesOf(registry: RegistrySettings): readonly Service[] {
  return [registryService(registry), frontService(registry), ...uiServices(registry)];
}

/** What a compose file is made from. */
export function templateOf(file: string, { ui }: RegistrySettings): string {
  if (file === COMPOSE_FILE) return STACK_TEMPLATE;
  return ui === 'hyper' ? HYPER_TEMPLATE : JOXIT_TEMPLATE;
}

/** The ports of the instance that the services publish for those who are admitted. */
export function publishedPorts(registry: RegistrySettings): number[] {
  const ports = servicesOf(registry).flatMap((service) => service.ports);
  return ports
    .filter(({ loopback, forChallenges }) => !loopback && forChallenges !== true)
    .map(({ published }) => published);
}

/** How the front is spoken to. */
export function schemeOf({ tls }: Pick<RegistrySettings, 'tls'>): 'http' | 'https' {
  return tls.kind === 'none' ? 'http' : 'https';
}

function registryService({ image, port, tls }: RegistrySettings): Service {
  return {
    name: 'registry',
    image,
    file: COMPOSE_FILE,
    values: {},
    ports: [],
    probe: { title: 'Registry API', scheme: schemeOf({ tls }), port, path: '/v2/', good: [200, 401] },
    data: { directory: '/var/lib/registry', top: 'docker' },
    mounts: [],
    severity: 'unhealthy',
  };
}

/** Caddy stands before the others, and is all that the instance publishes. */
function frontService({ frontImage, port, uiPort, ui, tls, loopback }: RegistrySettings): Service {
  const acme = tls.kind === 'acme';
  const toRegistry: Port = {
    published: port,
    target: port,
    loopback,
    input: 'registry-port',
    severity: 'unhealthy',
  };
  const toUi: Port = {
    published: uiPort,
    target: uiPort,
    loopback,
    input: 'ui-port',
    severity: 'degraded',
  };
  return {
    name: 'front',
    image: frontImage,
    file: COMPOSE_FILE,
    values: {},
    ports: [
      toRegistry,
      ...(ui === 'none' || uiPort === port ? [] : [toUi]),
      ...(acme ? [TO_CHALLENGES] : []),
    ],
    probe: null,
    data: null,
    mounts: [
      { source: `${STACK_DIRECTORY}/front`, target: '/etc/caddy', readOnly: true },
      { source: FRONT_LOG_DIRECTORY, target: FRONT_LOG_DIRECTORY, readOnly: false },
      ...(acme ? [{ source: ACME_DIRECTORY, target: ACME_MOUNT, readOnly: false }] : []),
    ],
    severity: 'unhealthy',
  };
}

const TO_CHALLENGES: Port = {
  published: CHALLENGE_PORT,
  target: CHALLENGE_PORT,
  loopback: false,
  input: 'tls',
  severity: 'unhealthy',
  forChallenges: true,
};

function uiServices({ ui, uiImage, uiPort, title, tls }: RegistrySettings): Service[] {
  if (ui === 'none' || uiImage === null) return [];
  return [
    {
      name: 'ui',
      image: uiImage,
      file: UI_FILE,
      values: { TITLE: composeScalar(ui === 'joxit' ? joxitTitle(title) : title) },
      ports: [],
      probe: { title: 'Web UI', scheme: schemeOf({ tls }), port: uiPort, path: '/', good: [200, 401] },
      data: null,
      mounts: [],
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
