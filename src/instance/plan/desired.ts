import type { DockerInput, RegistryInput } from '../../settings/types';

/** What the instance should be like. */
export interface Desired {
  readonly registry: RegistryInput;
  readonly docker: DockerInput;
}

/** Text of the file that says which release of Compose was installed by us. */
export function composeRelease({ compose }: DockerInput): string {
  return compose.sha256 === null ? compose.version : `${compose.version} sha256:${compose.sha256}`;
}
