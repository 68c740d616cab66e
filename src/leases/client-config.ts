import {
  CONFIG_DIRECTORY,
  makeClientConfig,
  type RegistryLogin,
  removeClientConfig,
} from '../docker/client-config';
import type { Log } from '../job/log';
import type { LeaseRecord, Noted } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { hasFields, isTime, text } from './well-formed';

/**
 * A directory with Docker's client configuration and the login of this run. It lies where GitHub's runner keeps what it
 * removes after the job, so that one of a dead run goes as well.
 */
export interface ClientConfigLease extends LeaseRecord {
  readonly kind: 'client-config';
  readonly directory: string;
}

/** What `docker --config` takes until the job ends, and what gives it back before. */
export interface ClientConfig {
  readonly directory: string;
  release(): Promise<void>;
}

/**
 * Makes it.
 *
 * @param parent RUNNER_TEMP
 * @param registry `host:port`
 */
export async function takeClientConfig(
  terms: LeaseTerms,
  { parent, userDirectory, registry }: { parent: string; userDirectory: string; registry: string },
  login: RegistryLogin,
): Promise<ClientConfig> {
  let noted: Noted<ClientConfigLease> | null = null;
  const directory = await makeClientConfig(parent, userDirectory, registry, login, (made) => {
    const expires = expiryOf(terms).toISOString();
    noted = terms.journal.note<ClientConfigLease>({ kind: 'client-config', directory: made, expires });
  });
  return {
    directory,
    async release() {
      await removeClientConfig(directory);
      noted?.end();
    },
  };
}

/** Removes it, login and all. */
export async function releaseClientConfig({ directory }: ClientConfigLease, log: Log): Promise<void> {
  await removeClientConfig(directory);
  log.info('The login of this run is off this runner');
}

export function isClientConfigLease(value: unknown): value is ClientConfigLease {
  return hasFields(value, {
    kind: text(/^client-config$/),
    directory: text(CONFIG_DIRECTORY),
    expires: isTime,
  });
}

/** The directory where it could not be removed, and how to do it by hand. */
export function describeClientConfig({ directory }: ClientConfigLease): string {
  return `the login of this run: \`rm -r ${directory}\``;
}
