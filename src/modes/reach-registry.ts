import { PAUSES_MS } from '../job/retry';
import { takeClientConfig } from '../leases/client-config';
import { openRegistry, type RegistryApi } from '../registry/api';
import type { Endpoint } from '../registry/endpoint';
import { waitUntilAnswered } from '../registry/reach';
import type { Run } from './run';
import { endpointOf } from './tls';
import type { Way } from './way';

/** How long the registry may be away while it is only asked. */
const AWAY_MS = 31_000;

/** The registry as this job reaches it. */
export interface Reached {
  readonly way: Way;
  readonly endpoint: Endpoint;
  /** Directory of Docker's client configuration that has this run's login; null: it has none. */
  readonly clientConfig: string | null;
}

/**
 * Waits until the registry answers this runner, and logs the job in, until it ends, where this run has a login. Null in
 * a dry run.
 *
 * @param ca PEM of what the registry's certificate is signed by; null: this machine trusts it anyway
 * @throws ActionError `Registry not reachable`
 */
export async function reachRegistry(run: Run, way: Way, ca: string | null): Promise<Reached | null> {
  const { settings, leases, log, sleep, temporary, variables } = run;
  if (settings.dryRun) return null;
  await waitUntilAnswered(way, log, sleep);
  const endpoint = await endpointOf(settings, way, ca);
  if (endpoint.login === null) return { way, endpoint, clientConfig: null };
  const place = { parent: temporary, userDirectory: run.host.dockerConfig, registry: way.name };
  const clientConfig = await takeClientConfig(leases, variables, place, endpoint.login);
  log.info(`runner: the job is logged in at ${place.registry} as ${endpoint.login.username}`);
  return { way, endpoint, clientConfig };
}

/**
 * The API of a registry that may be away for a moment.
 *
 * @param mend called before something that failed for a transient reason is tried again
 */
export function openPatiently(
  endpoint: Endpoint,
  { log, sleep }: Pick<Run, 'log' | 'sleep'>,
  mend: () => Promise<void>,
): RegistryApi {
  return openRegistry(endpoint, sleep, {
    pausesMs: PAUSES_MS,
    limitMs: AWAY_MS,
    announce: (pauseMs, why) =>
      log.info(`Waiting for the registry, up to ${AWAY_MS / 1000} s (${why}); again in ${pauseMs / 1000} s`),
    mend,
  });
}
