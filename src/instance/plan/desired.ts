import type { DockerSettings, RegistrySettings } from '../../settings/types';
import type { Tls } from './certificate-plan';

/** What the instance should be like. */
export interface Desired {
  readonly registry: RegistrySettings;
  readonly docker: DockerSettings;
  readonly tls: Tls;
  /** This runner is to push an image, so it must get in. */
  readonly pushes: boolean;
}

/** Text of the file that says which release of Compose was installed by us. */
export function composeRelease({ compose }: DockerSettings): string {
  return compose.sha256 === null ? compose.version : `${compose.version} sha256:${compose.sha256}`;
}
