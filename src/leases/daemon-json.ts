import type { RunnerHost } from '../runner/host';
import { type RestorePoint, restoreRunner } from '../runner/restore';
import { type DockerPlace, isDockerPlace } from './docker-place';
import type { LeaseRecord, Noted } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import type { LateTools } from './remove-late';
import { hasFields, isTime, isWord, text } from './well-formed';

/**
 * An entry in the configuration of this runner's Docker daemon. What a run that died has left there, the next one on
 * this machine removes, by the claim in the record of the file's use.
 */
export interface DaemonJsonLease extends LeaseRecord {
  readonly kind: 'daemon-json';
  readonly docker: DockerPlace;
  readonly point: RestorePoint;
}

/** Is to be told what has to be put back before the daemon's file is changed, each time that it is. */
export function noteDaemonJson(terms: LeaseTerms): (point: RestorePoint) => void {
  let noted: Noted<DaemonJsonLease> | null = null;
  return (point) => {
    if (noted !== null) return noted.change({ point });
    noted = terms.journal.note<DaemonJsonLease>({
      kind: 'daemon-json',
      docker: terms.docker,
      point,
      expires: expiryOf(terms).toISOString(),
    });
  };
}

/** Puts the file back as it was, and lets the daemon forget the registry. */
export async function releaseDaemonJson(
  { point }: DaemonJsonLease,
  host: RunnerHost,
  { log, sleep }: LateTools,
): Promise<void> {
  await restoreRunner(point, host, { log, sleep, now: Date.now });
  log.info(`${point.configFile} is as it was`);
}

export function isDaemonJsonLease(value: unknown): value is DaemonJsonLease {
  return hasFields(value, {
    kind: text(/^daemon-json$/),
    docker: isDockerPlace,
    point: (point) =>
      hasFields(point, {
        id: isWord,
        registry: (registry) => hasFields(registry, { host: isWord, port: Number.isInteger }),
        configFile: text(/^\/[^\p{Cc}]+$/u),
        daemon: (daemon) => hasFields(daemon, { pid: Number.isInteger, started: isWord }),
        socket: text(/^[^\p{Cc}]*$/u),
        serverVersion: text(/^[^\p{Cc}]*$/u),
        implicit: (list) => Array.isArray(list) && list.every((entry) => typeof entry === 'string'),
      }),
    expires: isTime,
  });
}
