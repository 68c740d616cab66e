import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cacheFolder } from './checkout.ts';
import { engineIsOurs } from './engine.ts';
import { KINDS, type Kind } from './kinds.ts';
import { alone } from './lock.ts';
import { aptSettings, debianMirror } from './mirror.ts';
import { once } from './once.ts';
import { phase, say } from './phases.ts';
import { attempt, docker, run } from './process.ts';

const FOLDER = join(import.meta.dirname, 'images');
/** Inherited by the stages of all builds, so that what they leave can be told from other images; not of containers. */
const LABEL = 'gcelab.image';

/** What an image is made of. The name of the image holds a hash of all this: an edited recipe is built anew. */
export interface Recipe {
  /** `gcelab/NAME`. */
  readonly name: string;
  /** Folder with a Dockerfile and what it copies. */
  readonly folder: string;
  /** Image that the Dockerfile gets as `BASE`; it may begin with `FROM scratch` as well. */
  readonly base?: string;
  /** Further build arguments. */
  readonly args?: Readonly<Record<string, string>>;
  /** Further files of the build context: contents by path. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Further files of the build context, by where they are on this host: told apart by name and size, as packages are. */
  readonly copies?: readonly string[];
}

/** Makes a Debian system of this kind unless there is one, and returns the image's name. */
export function ensureBase(kind: Kind): Promise<string> {
  return once(`base ${kind}`, () => makeBase(kind));
}

async function makeBase(kind: Kind): Promise<string> {
  const suite = KINDS[kind];
  const mirror = debianMirror();
  const settings = await aptSettings();
  const packages = readFileSync(join(FOLDER, 'base/packages'), 'utf8').trim().split('\n');
  const init = join(FOLDER, 'base/gcelab-init');
  const key = hash([LABEL, suite, mirror, settings, packages.join(','), readFileSync(init, 'utf8')]);
  const image = `gcelab/base-${kind}:${key}`;
  await unlessMade(image, async () => {
    const tar = join(cacheFolder('images'), `${kind}-${key}.tar`);
    if (!existsSync(tar)) {
      await phase(`${kind}: packages from the mirror that this host uses`, () =>
        bootstrap(suite, mirror, settings, packages, init, tar),
      );
    }
    const changes = ['CMD ["/usr/local/sbin/gcelab-init"]', `LABEL ${LABEL}=`];
    await docker(['import', ...changes.flatMap((change) => ['--change', change]), tar, image]);
  });
  return image;
}

/** Makes an image where there is none, and nobody else makes it. */
async function unlessMade(image: string, make: () => Promise<void>): Promise<void> {
  if (await imageExists(image)) return;
  await alone(async () => {
    if (!(await imageExists(image))) await make();
  });
}

async function bootstrap(
  suite: string,
  mirror: string,
  settings: string,
  packages: readonly string[],
  init: string,
  tar: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gcelab-'));
  try {
    const settingsFile = join(folder, '90gcelab');
    writeFileSync(settingsFile, settings);
    await run('mmdebstrap', [
      ...['--variant=minbase', `--include=${packages.join(',')}`],
      ...['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/doc/*'],
      `--customize-hook=copy-in ${init} /usr/local/sbin`,
      `--customize-hook=copy-in ${settingsFile} /etc/apt/apt.conf.d`,
      ...[suite, `${tar}.new.tar`, `deb ${mirror} ${suite} main`],
    ]);
    renameSync(`${tar}.new.tar`, tar);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds an image unless this very recipe was built before, and returns its name. */
export function ensureImage(recipe: Recipe): Promise<string> {
  const image = `gcelab/${recipe.name}:${recipeKey(recipe)}`;
  return once(image, () => makeImage(recipe, image));
}

async function makeImage(recipe: Recipe, image: string): Promise<string> {
  const make = async () => {
    // The lab's own engine keeps its images; they are taken out of one that is not.
    const tar = engineIsOurs()
      ? null
      : join(cacheFolder('images'), `${image.replace(/^.*\//, '').replace(':', '-')}.tar`);
    if (tar !== null && existsSync(tar)) {
      await docker(['load', '--quiet', '--input', tar]);
      return;
    }
    await build(recipe, image);
    await removeOlder(image);
    if (tar !== null) await docker(['save', '--output', tar, image]);
  };
  await unlessMade(image, () => phase(`image ${recipe.name}`, make));
  return image;
}

/** The hash of all that goes into an image. */
export function recipeKey(recipe: Recipe): string {
  const files = Object.entries(recipe.files ?? {});
  return hash([
    LABEL,
    recipe.base ?? '',
    JSON.stringify(recipe.args ?? {}),
    ...filesBelow(recipe.folder).flatMap((path) => [path, readFileSync(join(recipe.folder, path))]),
    ...files.flat(),
    ...(recipe.copies ?? []).flatMap((path) => [basename(path), String(statSync(path).size)]),
  ]);
}

async function build(recipe: Recipe, image: string): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'gcelab-'));
  try {
    cpSync(recipe.folder, context, { recursive: true });
    for (const [path, content] of Object.entries(recipe.files ?? {}))
      writeFileSync(join(context, path), content, { mode: 0o755 });
    for (const path of recipe.copies ?? []) cpSync(path, join(context, basename(path)));
    const args = { ...(recipe.base === undefined ? {} : { BASE: recipe.base }), ...recipe.args };
    await docker(
      [
        ...['build', '--quiet', '--force-rm', '--label', LABEL, '--tag', image],
        ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        context,
      ],
      // The classic builder: it is in every engine and needs no plugin.
      { env: { ...process.env, DOCKER_BUILDKIT: '0' } },
    );
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Images of earlier recipes with the same name would only fill the disk. */
async function removeOlder(image: string): Promise<void> {
  const [repository] = image.split(':');
  const list = await docker(['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', String(repository)]);
  for (const other of list
    .trim()
    .split('\n')
    .filter((name) => name !== image)) {
    const removed = await attempt('docker', ['image', 'rm', other]);
    if (removed.status === 0) say(`image ${other} is of an earlier recipe: removed`);
  }
}

async function imageExists(image: string): Promise<boolean> {
  return (await attempt('docker', ['image', 'inspect', '--format', '{{.Id}}', image])).status === 0;
}

/** Paths of all files below a folder, relative, sorted. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Twelve hexadecimal digits that stand for these contents. */
export function hash(parts: readonly (string | Buffer)[]): string {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(`${part.length}:`).update(part);
  return sum.digest('hex').slice(0, 12);
}

/** Removes what the stages of builds left behind. */
export async function pruneImages(): Promise<void> {
  await docker(['image', 'prune', '--force', '--filter', `label=${LABEL}`]);
}
