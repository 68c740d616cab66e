import { computeClients } from '../google/clients';
import type { Compute } from '../google/compute';
import type { GoogleContext } from '../google/context';
import { fetchToken, prepareCredentials } from '../google/credentials';
import { googleCompute } from '../google/google-compute';
import type { Log } from '../job/log';
import type { CredentialsSettings } from '../settings/types';
import { ActionError, messageOf } from '../values/errors';
import { type Candidate, candidatesFor, type GooglePlace, type OpenGoogle } from './google-place';
import type { ReleaseTools } from './release';

/** A job that was cancelled has five minutes for all of its post steps, and Google goes on without us. */
const OPERATION_LIMIT_MS = 60_000;

export interface PostGoogleOptions {
  readonly log: Log;
  /** What the inputs `credentials-json` and `access-token` say now; null where they cannot be read. */
  readonly input: CredentialsSettings | null;
  readonly context: GoogleContext;
  readonly open: OpenGoogle;
}

/**
 * Works at Google Cloud with the credentials that the main step used, and where they fail with those that there are now.
 *
 * @throws ActionError `No Google credentials`, and what the first credentials failed with
 */
export function postGoogle({ log, input, context, open }: PostGoogleOptions): ReleaseTools['atGoogle'] {
  return async (place, work) => {
    let first: unknown = noCredentials(place);
    for (const [index, candidate] of candidatesFor(place.credentials, input, context).entries()) {
      try {
        return await work(await open(candidate, place));
      } catch (error) {
        if (index === 0) first = error;
        log.debug(messageOf(error));
      }
    }
    throw first;
  };
}

function noCredentials({ instance }: GooglePlace): ActionError {
  return new ActionError('No Google credentials', {
    doing: `undoing what this run did to instance ${instance} and its network`,
    happened:
      'the credentials of the main step are gone: neither credentials-json nor access-token is set for the post step, and there is no file of Application Default Credentials',
    next: 'Keep google-github-actions/auth in the same job, or undo by hand what is named here',
  });
}

/** Authenticates once with each set of credentials. */
export function openGoogleWith(log: Log): OpenGoogle {
  const known = new Map<string, Promise<ReturnType<typeof computeClients>>>();
  return async (candidate, { project, zone, instance }): Promise<Compute> => {
    const key = `${candidate.credentials.kind} ${candidate.context.credentialsFile}`;
    const clients = known.get(key) ?? authenticate(candidate, log);
    known.set(key, clients);
    return googleCompute({ project, zone, instance }, await clients, {
      log,
      operationLimitMs: OPERATION_LIMIT_MS,
    });
  };
}

async function authenticate({ credentials, context }: Candidate, log: Log) {
  const authentication = prepareCredentials(credentials, context, log);
  await fetchToken(authentication);
  log.info(`Google Cloud: ${authentication.describe}`);
  return computeClients(authentication);
}
