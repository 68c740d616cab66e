import { join } from 'node:path';
import type { RunnerHost } from './host';

/**
 * The names of the buildx builders that do not read daemon.json. They are read from buildx's own files, because
 * `docker buildx ls` connects to each builder first.
 *
 * https://github.com/docker/buildx/blob/master/store/store.go
 */
export async function foreignBuilders(host: RunnerHost): Promise<readonly string[]> {
  const directory = join(host.dockerConfig, 'buildx', 'instances');
  const names: string[] = [];
  for (const file of await host.list(directory)) {
    if (!/^[\w.-]{1,128}$/.test(file)) continue;
    const driver = driverOf((await host.read(join(directory, file))) ?? '');
    if (driver === 'docker-container' || driver === 'kubernetes' || driver === 'remote') names.push(file);
  }
  return names.sort();
}

function driverOf(json: string): string {
  try {
    return String((JSON.parse(json) as { Driver?: unknown } | null)?.Driver ?? '');
  } catch {
    return '';
  }
}
