import type { DockerSettings, RegistrySettings } from '../../settings/types';

/** What the instance should be like. */
export interface Desired {
  readonly registry: RegistrySettings;
  readonly docker: DockerSettings;
}

/** Text of the file that says which release of Compose was installed by us. */
export function composeRelease({ compose }: DockerSettings): string {
  return compose.sha256 === null ? compose.version : `${compose.version} sha256:${compose.sha256}`;
}
