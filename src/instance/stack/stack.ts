import type { RegistrySettings } from '../../settings/types';
import { sha256 } from '../../values/digest';
import { composeScalar } from '../../values/quote';
import { HYPER_TEMPLATE, JOXIT_TEMPLATE, REGISTRY_TEMPLATE } from './templates';

/** Directory of everything that is ours on the instance. */
export const STACK_DIRECTORY = '/etc/gce-registry';
export const COMPOSE_FILE = `${STACK_DIRECTORY}/compose.yaml`;
/** The UI. Compose reads it by itself when it stands beside compose.yaml. */
export const UI_FILE = `${STACK_DIRECTORY}/compose.override.yaml`;
/** One line: the directory that holds the registry's data; empty for the named volume. */
export const DATA_PATH_FILE = `${STACK_DIRECTORY}/data-path`;
/** Name of the Compose project, as in stack/compose.yaml. */
export const PROJECT = 'gce-registry';

export interface Service {
  readonly name: 'registry' | 'ui';
  readonly image: string;
  readonly port: number;
  /** Hash of all that the service is made of, kept in a label of its container. */
  readonly spec: string;
}

/** The registry and its UI as they should be. */
export interface Stack {
  readonly services: readonly Service[];
  /** Content of the files on the instance, by path; null: no such file. */
  readonly files: Readonly<Record<string, string | null>>;
}

/** The stack that the inputs ask for. */
export function stackOf(registry: RegistrySettings): Stack {
  const main = render(REGISTRY_TEMPLATE, {
    IMAGE: composeScalar(registry.image),
    PORT: composeScalar(String(registry.port)),
    DATA_TYPE: registry.dataPath === null ? 'volume' : 'bind',
    DATA_SOURCE: composeScalar(registry.dataPath ?? 'registry-data'),
  });
  const ui = renderUi(registry);
  return {
    services: [
      { name: 'registry', image: registry.image, port: registry.port, spec: main.spec },
      ...(ui === null
        ? []
        : [{ name: 'ui' as const, image: ui.image, port: registry.uiPort, spec: ui.spec }]),
    ],
    files: {
      [COMPOSE_FILE]: main.text,
      [UI_FILE]: ui?.text ?? null,
      [DATA_PATH_FILE]: `${registry.dataPath ?? ''}\n`,
    },
  };
}

function renderUi(registry: RegistrySettings): { text: string; spec: string; image: string } | null {
  if (registry.ui === 'none' || registry.uiImage === null) return null;
  const joxit = registry.ui === 'joxit';
  const rendered = render(joxit ? JOXIT_TEMPLATE : HYPER_TEMPLATE, {
    IMAGE: composeScalar(registry.uiImage),
    PORT: composeScalar(String(registry.uiPort)),
    TITLE: composeScalar(joxit ? joxitTitle(registry.title) : registry.title),
  });
  return { ...rendered, image: registry.uiImage };
}

/** Fills in a template; `SPEC` becomes the hash of the result without it. */
function render(template: string, values: Record<string, string>): { text: string; spec: string } {
  const filled = fill(template, values);
  const spec = sha256(filled).slice(0, 16);
  return { text: fill(filled, { SPEC: `"${spec}"` }), spec };
}

/** Puts values in place of whole lines' `${NAME}`; a value never has a line to itself, so it is not filled again. */
function fill(template: string, values: Record<string, string>): string {
  return template.replace(/: \$\{([A-Z_]+)\}$/gm, (placeholder, name: string) =>
    values[name] === undefined ? placeholder : `: ${values[name]}`,
  );
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
