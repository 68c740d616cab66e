import { hasFields, text } from './well-formed';

/** Which daemon the `docker` command of the main step talked to, as the variables say that decide on it. */
export interface DockerPlace {
  /** Values by name; a variable that is not here was not set. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Where commands are found, and what chooses the daemon. A later step can change any of them for the post step.
 *
 * https://docs.docker.com/reference/cli/docker/#environment-variables
 */
const NAMES = [
  'PATH',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_API_VERSION',
  'DOCKER_CERT_PATH',
  'DOCKER_TLS',
  'DOCKER_TLS_VERIFY',
];

/** @param configDirectory Docker's client configuration, which depends on the home where DOCKER_CONFIG is not set */
export function dockerPlace(env: NodeJS.ProcessEnv, configDirectory: string): DockerPlace {
  const values = NAMES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return { environment: { ...Object.fromEntries(values), DOCKER_CONFIG: configDirectory } };
}

/** An environment in which the `docker` command talks to the daemon of the main step. */
export function environmentAt({ environment }: DockerPlace, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !NAMES.includes(name));
  return { ...Object.fromEntries(others), ...environment };
}

export function isDockerPlace(value: unknown): value is DockerPlace {
  if (!hasFields(value, { environment: (it) => typeof it === 'object' && it !== null })) return false;
  const isValue = text(/^[^\p{Cc}]+$/u);
  return Object.entries((value as DockerPlace).environment).every(
    ([name, each]) => NAMES.includes(name) && isValue(each),
  );
}
