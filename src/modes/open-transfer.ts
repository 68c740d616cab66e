import { PAUSES_MS } from '../job/retry';
import { type RegistryApi, registryApi } from '../registry/api';
import { type ContentApi, contentApi } from '../registry/content';
import type { Endpoint } from '../registry/endpoint';
import { registryHttp } from '../registry/http';
import type { Patience } from '../registry/patient-reads';
import type { Run } from './run';
import type { Way } from './way';

/** What moves whole images to and from a registry. */
export interface Transfer {
  readonly manifests: RegistryApi;
  readonly content: ContentApi;
  close(): void;
}

/** A registry may need this long for the end of a large upload, or while a prune holds what is sent. */
const TIMEOUTS = { idleMs: 60_000, totalMs: 120_000 };
const AWAY_MS = 31_000;

/** The ways to move images to and from a registry that may be away for a moment. */
export function openTransfer(
  endpoint: Endpoint,
  { log, sleep }: Pick<Run, 'log' | 'sleep'>,
  way: Pick<Way, 'tunnel'>,
): Transfer {
  const connection = registryHttp(endpoint, TIMEOUTS);
  const patience: Patience = {
    pausesMs: PAUSES_MS,
    limitMs: AWAY_MS,
    announce: (pauseMs, why) =>
      log.info(`The registry did not answer (${why}); again in ${pauseMs / 1000} s`),
    // Without its tunnel no further try helps.
    mend: async () => way.tunnel?.require(),
  };
  return {
    manifests: registryApi(connection, sleep, patience),
    content: contentApi(connection, { sleep, patience }),
    close: () => connection.close(),
  };
}
