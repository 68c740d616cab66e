import { dockerCli, type LocalImage } from '../docker/docker';
import { PAUSES_MS } from '../job/retry';
import { type ClientConfig, takeClientConfig } from '../leases/client-config';
import { noteLocalTag } from '../leases/local-tag';
import { pushImage } from '../push/push';
import { openRegistry } from '../registry/api';
import { type Endpoint, registryName } from '../registry/endpoint';
import { waitUntilAnswered } from '../registry/reach';
import type { PushedImage } from '../report/outputs';
import { resolveTargets } from '../values/reference';
import type { RegistryAddress } from './registry-address';
import type { Run } from './run';
import { endpointOf } from './tls';

/** How long the registry may be away while it is only asked. */
const AWAY_MS = 31_000;

/**
 * Pushes the image under each of its tags; nothing in a dry run.
 *
 * @param ca PEM of what the registry's certificate is signed by; null: this machine trusts it anyway
 * @param image null: it is pulled first
 * @param mend called before something that failed for a transient reason is tried again
 */
export async function push(
  run: Run,
  { host, port, registry, names }: RegistryAddress,
  ca: string | null,
  image: LocalImage | null,
  mend: () => Promise<void> = async () => undefined,
): Promise<readonly PushedImage[]> {
  const { settings, log, sleep } = run;
  if (settings.push === null) return [];
  const targets = resolveTargets(settings.push.targets, names);
  if (settings.dryRun) {
    for (const { path, tag } of targets) log.info(`image: would push ${registry}/${path}:${tag}`);
    return [];
  }
  await waitUntilAnswered({ host, port }, log, sleep);
  const endpoint = await endpointOf(settings, { host, port }, ca);
  const api = openRegistry(endpoint, sleep, {
    pausesMs: PAUSES_MS,
    limitMs: AWAY_MS,
    announce: (pauseMs, why) =>
      log.info(`Waiting for the registry, up to ${AWAY_MS / 1000} s (${why}); again in ${pauseMs / 1000} s`),
    mend,
  });
  const config = await clientConfigFor(run, endpoint);
  try {
    const onTag = noteLocalTag(run.leases);
    const docker = dockerCli(run.host.exec, config?.directory ?? null);
    const tools = { docker, api, log, sleep, onTag, mend };
    const pushed = await pushImage({ ...settings.push, targets, registry }, image, tools);
    return pushed.map(({ reference, digest }) => ({ reference, digest }));
  } finally {
    api.close();
    await config?.release();
  }
}

/** A configuration of Docker's client with this run's login, where it has one. */
async function clientConfigFor(run: Run, endpoint: Endpoint): Promise<ClientConfig | null> {
  if (endpoint.login === null) return null;
  const place = {
    parent: run.temporary,
    userDirectory: run.host.dockerConfig,
    registry: registryName(endpoint),
  };
  return takeClientConfig(run.leases, place, endpoint.login);
}
