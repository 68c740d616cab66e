import { readGoogleContext } from './google/context';
import { environmentAt } from './leases/docker-place';
import { readJournal } from './leases/journal';
import { openGoogleWith, postGoogle } from './leases/post-google';
import { releaseAll } from './leases/release';
import { maskInputs } from './main-step';
import { openRegistry } from './registry/api';
import { documentsOf, linkDocuments } from './report/documents';
import { readCredentials } from './settings/read';
import type { CredentialsSettings } from './settings/types';
import type { Surroundings } from './surroundings';
import { messageOf } from './values/errors';

/**
 * The post step: releases what the main step left in its journal. It reads no settings, since GitHub evaluates the inputs
 * again, after steps that may have changed what they are made of; of the inputs only the credentials, which are kept
 * nowhere else. Its failures are warnings: the job's result is that of its main steps. Never throws.
 */
export async function postStep(around: Surroundings, open = openGoogleWith(around.log)): Promise<void> {
  const { log, sleep, env } = around;
  const warn = (message: string) => log.warning(linkDocuments(message, documentsOf(env)));
  try {
    const records = readJournal(around.state);
    if (records === null) return warn('The notes of the main step cannot be read, so nothing was undone');
    if (records.length === 0) return;
    maskInputs(around, ['access-token', 'credentials-json']);
    const input = credentialsNow(around);
    const messages = await releaseAll(records, {
      log,
      sleep,
      atGoogle: postGoogle({ log, input, context: readGoogleContext(env), open }),
      hostAt: (docker) => {
        const then = environmentAt(docker, env);
        return around.host(around.commands(then), then.DOCKER_CONFIG ?? around.dockerConfig);
      },
      variables: around.variables,
      openRegistry: (endpoint) => openRegistry(endpoint, sleep),
    });
    for (const message of messages) warn(message);
  } catch (error) {
    warn(`Not everything was undone: ${messageOf(error)}`);
  }
}

function credentialsNow({ input, log }: Surroundings): CredentialsSettings | null {
  try {
    return readCredentials(input);
  } catch (error) {
    log.debug(messageOf(error));
    return null;
  }
}
