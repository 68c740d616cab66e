import { dockerCli, type LocalImage } from '../docker/docker';
import { noteLocalTag } from '../leases/local-tag';
import { pushImage } from '../push/push';
import type { PushedImage } from '../report/outputs';
import { resolveTargets } from '../values/reference';
import { openPatiently, type Reached } from './reach-registry';
import type { RegistryAddress } from './registry-address';
import type { Run } from './run';

/**
 * Pushes the image under each of its tags; nothing in a dry run.
 *
 * @param reached null in a dry run
 * @param image null: it is pulled first
 * @param mend called before something that failed for a transient reason is tried again
 */
export async function push(
  run: Run,
  { registry, names }: RegistryAddress,
  reached: Reached | null,
  image: LocalImage | null,
  mend: () => Promise<void> = async () => undefined,
): Promise<readonly PushedImage[]> {
  const { settings, log, sleep } = run;
  if (settings.push === null) return [];
  const targets = resolveTargets(settings.push.targets, names);
  if (reached === null) {
    for (const { path, tag } of targets) log.info(`image: would push ${registry}/${path}:${tag}`);
    return [];
  }
  // Without its tunnel no further try helps.
  const mendWay = async () => {
    reached.way.tunnel?.require();
    await mend();
  };
  const api = openPatiently(reached.endpoint, run, mendWay);
  try {
    const onTag = noteLocalTag(run.leases);
    const docker = dockerCli(run.host.exec, reached.clientConfig);
    const tools = { docker, api, log, sleep, onTag, mend: mendWay };
    const pushed = await pushImage({ ...settings.push, targets, registry: reached.way.name }, image, tools);
    // As others know it.
    return pushed.map(({ reference, digest }) => ({
      reference: `${registry}${reference.slice(reached.way.name.length)}`,
      digest,
    }));
  } finally {
    api.close();
  }
}
