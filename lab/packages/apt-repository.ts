import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { ensureBuilder } from '../hub/server.ts';
import { cacheFolder } from '../machines/checkout.ts';
import { ensureBase, hash } from '../machines/images.ts';
import { DEFAULT_KIND, KINDS, type Kind } from '../machines/kinds.ts';
import { alone } from '../machines/lock.ts';
import { once } from '../machines/once.ts';
import { phase } from '../machines/phases.ts';
import { docker } from '../machines/process.ts';
import { copyDockerToday, DOCKER_TODAY, isDockerTodayBuilt } from './docker-today.ts';

/** What is taken from each release of Debian; Debian 12 has the client in the engine's package. */
const PACKAGES = {
  bookworm: ['docker.io', 'containerd', 'runc'],
  trixie: [
    ...['docker.io', 'docker-cli', 'containerd', 'runc'],
    ...['docker-compose', 'docker-buildx', 'rootlesskit'],
  ],
  forky: [
    ...['docker.io', 'docker-cli', 'containerd', 'runc', 'tini-static'],
    ...['docker-compose', 'docker-buildx', 'rootlesskit'],
  ],
} as const;
type Suite = keyof typeof PACKAGES;

/** One version of Docker's packages in its repository. */
interface Release {
  readonly engine: Suite;
  /** Of Go programs that need nothing but libc 2.34, which Debian 12 has. */
  readonly plugins: Suite;
  /** With Docker's own programs of today. */
  readonly isToday?: true;
}

/** From the oldest to the newest, which is what an installation gets. */
const RELEASES: Readonly<Record<Kind, readonly Release[]>> = {
  'debian-12': [{ engine: 'bookworm', plugins: 'trixie' }],
  'debian-13': [
    { engine: 'trixie', plugins: 'trixie' },
    { engine: 'forky', plugins: 'forky' },
    { engine: 'forky', plugins: 'forky', isToday: true },
  ],
};

/** The folder with Docker's programs of today, beside those with Debian's packages. */
const TODAY = 'today';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Document root of download.docker.com. */
export function aptFolder(): string {
  return cacheFolder('download.docker.com');
}

/**
 * Makes Docker's apt repository for a kind of machine unless this very recipe was made before. Docker of today is in it
 * where it has been built.
 */
export function ensureAptRepository(kind: Kind): Promise<void> {
  return once(`Docker's repository for ${kind}`, () => alone(() => makeRepository(kind)));
}

async function makeRepository(kind: Kind): Promise<void> {
  const suite = KINDS[kind];
  const releases = RELEASES[kind].filter(({ engine }) => engine !== 'forky' || isDockerTodayBuilt());
  const builder = await ensureBuilder();
  const key = hash([
    JSON.stringify([releases, PACKAGES, DOCKER_TODAY]),
    builder,
    ...['fetch', 'repackage', 'publish'].map((name) => readFileSync(script(name))),
  ]);
  const mark = join(cacheFolder('debian'), `${suite}.key`);
  const isMade =
    existsSync(mark) && readFileSync(mark, 'utf8') === key && existsSync(join(repository(), 'dists', suite));
  if (isMade) return;
  await phase(`Docker's apt repository for ${kind}, from Debian's packages`, async () => {
    rmSync(join(repository(), 'dists', suite), { recursive: true, force: true });
    for (const release of releases) await addRelease(kind, release, builder);
    await inContainer(builder, ['/packages.d/publish', suite]);
  });
  writeFileSync(mark, key);
}

async function addRelease(kind: Kind, { engine, plugins, isToday }: Release, builder: string): Promise<void> {
  await Promise.all([ensurePackages(engine), ensurePackages(plugins)]);
  if (isToday) copyDockerToday(cacheFolder(`debian/${TODAY}`));
  await inContainer(builder, [
    ...['/packages.d/repackage', KINDS[kind], kind.replace('debian-', ''), engine, plugins],
    ...(isToday ? [TODAY, DOCKER_TODAY] : []),
  ]);
}

/**
 * The packages of Docker on a machine of the default kind, those of the engine of a version of today or of the one before;
 * none where today's has not been built.
 */
export async function dockersPackages(version: '28' | '29', names: readonly string[]): Promise<string[]> {
  if (!isDockerTodayBuilt()) return [];
  await ensureAptRepository(DEFAULT_KIND);
  const folder = join(
    repository(),
    `dists/${KINDS[DEFAULT_KIND]}/pool/stable`,
    String(ARCHITECTURES[arch()]),
  );
  const files = readdirSync(folder).sort(byVersion);
  const isMeant = (file: string, name: string) =>
    file.startsWith(name.startsWith('docker-ce') ? `${name}_${version}.` : `${name}_`);
  return names.map((name) => join(folder, String(files.findLast((file) => isMeant(file, name)))));
}

const byVersion = new Intl.Collator('en', { numeric: true }).compare;

/** The folder with the packages that are taken from a release of Debian, fetched once. */
export function ensurePackages(suite: Suite): Promise<string> {
  return once(`packages ${suite}`, () => alone(() => fetchPackages(suite)));
}

async function fetchPackages(suite: Suite): Promise<string> {
  const folder = cacheFolder(`debian/${suite}`);
  const there = readdirSync(folder);
  if (PACKAGES[suite].every((name) => there.some((file) => file.startsWith(`${name}_`)))) return folder;
  rmSync(folder, { recursive: true });
  const base = await ensureBase(DEFAULT_KIND);
  await inContainer(base, ['/packages.d/fetch', `/packages/${suite}`, suite, ...PACKAGES[suite]]);
  return folder;
}

async function inContainer(image: string, command: readonly string[]): Promise<void> {
  await docker([
    ...['run', '--rm', '--label', 'gcelab', '--volume', `${import.meta.dirname}:/packages.d:ro`],
    ...['--volume', `${cacheFolder('debian')}:/packages`, '--volume', `${repository()}:/repository`],
    ...['--volume', `${cacheFolder('keys')}:/keys`, image, ...command],
  ]);
}

function repository(): string {
  return cacheFolder('download.docker.com/linux/debian');
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}
