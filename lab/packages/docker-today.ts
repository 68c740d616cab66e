import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../machines/checkout.ts';
import { ensureGoProgram, fileName, type GoProgram } from '../machines/go.ts';

/** The release that the module below is of; the module itself does not say. */
export const DOCKER_TODAY = '29.9.0';

const ENGINE = 'github.com/moby/moby/v2';
const CLIENT = 'github.com/docker/cli';
const ENGINE_VERSION = 'v2.0.0-beta.24';

/** What is Docker's own in its packages; all else of them is in Debian, whose Docker is older. */
const PROGRAMS: readonly GoProgram[] = [
  {
    name: 'dockerd',
    source: `${ENGINE}/cmd/dockerd@${ENGINE_VERSION}`,
    variables: { [`${ENGINE}/dockerversion.Version`]: DOCKER_TODAY },
  },
  { name: 'docker-proxy', source: `${ENGINE}/cmd/docker-proxy@${ENGINE_VERSION}` },
  {
    name: 'docker',
    source: `${CLIENT}/cmd/docker@v${DOCKER_TODAY}+incompatible`,
    mainModule: CLIENT,
    variables: { [`${CLIENT}/cli/version.Version`]: DOCKER_TODAY },
  },
];

/** Builds Docker's engine and client of today from their Go modules, once: some three minutes on two cores. */
export async function ensureDockerToday(): Promise<void> {
  for (const program of PROGRAMS) await ensureGoProgram(program);
}

/** Whether that was done. */
export function isDockerTodayBuilt(): boolean {
  return PROGRAMS.every((program) => existsSync(join(cacheFolder('bin'), fileName(program))));
}

/** Puts the programs into a folder of their own, under their own names. */
export function copyDockerToday(folder: string): void {
  for (const program of PROGRAMS) {
    const copy = join(folder, program.name);
    rmSync(copy, { force: true });
    copyFileSync(join(cacheFolder('bin'), fileName(program)), copy);
  }
}
