import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilder } from '../hub/server.ts';
import { cacheFolder } from '../machines/checkout.ts';
import { ensureBase, hash } from '../machines/images.ts';
import { DEFAULT_KIND, KINDS, type Kind } from '../machines/kinds.ts';
import { alone } from '../machines/lock.ts';
import { once } from '../machines/once.ts';
import { phase } from '../machines/phases.ts';
import { docker } from '../machines/process.ts';

/** The engine's packages in each release; Debian 12 has the client in the engine's. */
const ENGINE: Readonly<Record<Kind, readonly string[]>> = {
  'debian-12': ['docker.io', 'containerd', 'runc'],
  'debian-13': ['docker.io', 'docker-cli', 'containerd', 'runc'],
};
/** From Debian 13 for every release: Go programs that need nothing but libc 2.34, which Debian 12 has. */
const PLUGINS = ['docker-compose', 'docker-buildx'];

/** Document root of download.docker.com. */
export function aptFolder(): string {
  return cacheFolder('apt');
}

/** Makes Docker's apt repository for a kind of machine unless this very recipe was made before. */
export async function ensureAptRepository(kind: Kind): Promise<void> {
  const suite = KINDS[kind];
  const [base, builder] = [await ensureBase(kind), await ensureBuilder()];
  const key = hash([
    suite,
    base,
    builder,
    ...['fetch', 'repackage', 'publish'].map((name) => readFileSync(script(name))),
  ]);
  const mark = join(cacheFolder('packages'), `${suite}.key`);
  const isMade = () =>
    existsSync(mark) && readFileSync(mark, 'utf8') === key && existsSync(join(repository(), 'dists', suite));
  if (isMade()) return;
  await alone(async () => {
    if (isMade()) return;
    await ensurePlugins();
    await phase(`Docker's apt repository for ${kind}, from Debian's packages`, async () => {
      await fetchPackages(base, suite, ENGINE[kind]);
      await inContainer(builder, ['/packages.d/repackage', suite, kind.replace('debian-', '')]);
      await inContainer(builder, ['/packages.d/publish', suite]);
    });
    writeFileSync(mark, key);
  });
}

/** The folder with Debian 13's packages of Compose and Buildx, fetched once. */
export function ensurePlugins(): Promise<string> {
  return once('plugins', () => alone(fetchPlugins));
}

async function fetchPlugins(): Promise<string> {
  const folder = join(cacheFolder('packages'), 'plugins');
  const there = existsSync(folder) ? readdirSync(folder) : [];
  if (!PLUGINS.every((name) => there.some((file) => file.startsWith(`${name}_`)))) {
    await fetchPackages(await ensureBase(DEFAULT_KIND), 'plugins', PLUGINS);
  }
  return folder;
}

async function fetchPackages(base: string, folder: string, names: readonly string[]): Promise<void> {
  rmSync(join(cacheFolder('packages'), folder), { recursive: true, force: true });
  await inContainer(base, ['/packages.d/fetch', `/packages/${folder}`, ...names]);
}

async function inContainer(image: string, command: readonly string[]): Promise<void> {
  await docker([
    ...['run', '--rm', '--label', 'gcelab', '--volume', `${import.meta.dirname}:/packages.d:ro`],
    ...['--volume', `${cacheFolder('packages')}:/packages`, '--volume', `${repository()}:/repository`],
    ...['--volume', `${cacheFolder('keys')}:/keys`, image, ...command],
  ]);
}

function repository(): string {
  return cacheFolder('apt/linux/debian');
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}
