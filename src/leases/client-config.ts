import {
  CONFIG_DIRECTORY,
  makeClientConfig,
  type RegistryLogin,
  removeClientConfig,
} from '../docker/client-config';
import type { Log } from '../job/log';
import type { JobVariables } from '../job/variables';
import type { LeaseRecord } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { hasFields, isTime, orNull, text } from './well-formed';

/** What names the directory of Docker's client configuration, for Docker, Buildx, Podman, Skopeo, crane and others. */
const VARIABLE = 'DOCKER_CONFIG';

/**
 * A directory with Docker's client configuration and the login of this run, which the later steps of the job use. It
 * lies where GitHub's runner keeps what it removes after the job, so that one of a dead run goes as well.
 */
export interface ClientConfigLease extends LeaseRecord {
  readonly kind: 'client-config';
  readonly directory: string;
  /** What the variable was before; null: it was not set. */
  readonly previous: string | null;
}

/**
 * Logs the job in, until it ends: makes the directory, and names it to the later steps. Neither the user's own file nor a
 * credential helper is touched, so that jobs of one machine that run at once have nothing to do with each other's logins.
 *
 * @param parent RUNNER_TEMP
 * @param registry `host:port`
 * @returns the directory
 */
export async function takeClientConfig(
  terms: LeaseTerms,
  variables: JobVariables,
  { parent, userDirectory, registry }: { parent: string; userDirectory: string; registry: string },
  login: RegistryLogin,
): Promise<string> {
  const directory = await makeClientConfig(parent, userDirectory, registry, login, (made) => {
    terms.journal.note<ClientConfigLease>({
      kind: 'client-config',
      directory: made,
      previous: variables.get(VARIABLE) || null,
      expires: expiryOf(terms).toISOString(),
    });
  });
  variables.set(VARIABLE, directory);
  return directory;
}

/**
 * Removes it, login and all. The post steps of the actions before this one come after it: they find the configuration
 * that they know again. Where a later step has named another one, that stays.
 */
export async function releaseClientConfig(
  { directory, previous }: ClientConfigLease,
  variables: JobVariables,
  log: Log,
): Promise<void> {
  // Docker takes an empty one as none (https://github.com/docker/cli/blob/v29.0.0/cli/config/config.go#L80).
  if (variables.get(VARIABLE) === directory) variables.set(VARIABLE, previous ?? '');
  await removeClientConfig(directory);
  log.info('The login of this run is off this runner');
}

export function isClientConfigLease(value: unknown): value is ClientConfigLease {
  return hasFields(value, {
    kind: text(/^client-config$/),
    directory: text(CONFIG_DIRECTORY),
    previous: orNull(text(/^[^\p{Cc}]+$/u)),
    expires: isTime,
  });
}

/** The directory where it could not be removed, and how to do it by hand. */
export function describeClientConfig({ directory }: ClientConfigLease): string {
  return `the login of this run: \`rm -r ${directory}\``;
}
