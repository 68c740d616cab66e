import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './checkout.ts';
import { hasGo } from './host.ts';
import { ensureBase, ensureImage } from './images.ts';
import { DEFAULT_KIND } from './kinds.ts';
import { alone } from './lock.ts';
import { once } from './once.ts';
import { phase } from './phases.ts';
import { docker, run } from './process.ts';

/** A program that is built from a Go module. */
export interface GoProgram {
  readonly name: string;
  /** `MODULE/PACKAGE@VERSION`. */
  readonly source: string;
  /** Its module, where `go install` refuses that: it has a vendor.mod instead of a go.mod, or excludes. */
  readonly mainModule?: string;
  /** Variables that are set when it is linked. */
  readonly variables?: Readonly<Record<string, string>>;
}

export const REGISTRY: GoProgram = {
  name: 'registry',
  source: 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2',
};
export const CADDY: GoProgram = {
  name: 'caddy',
  source: 'github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9',
  // As in the official build, whose program says so.
  variables: { 'github.com/caddyserver/caddy/v2.CustomVersion': 'v2.11.9' },
};
export const PEBBLE: GoProgram = {
  name: 'pebble',
  source: 'github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1',
};
export const ACT: GoProgram = { name: 'act', source: 'github.com/nektos/act@v0.2.89' };
export const CRANE: GoProgram = {
  name: 'crane',
  source: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1',
};
/** Of the OCI distribution specification. */
export const CONFORMANCE: GoProgram = {
  name: 'conformance',
  source: 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111',
};
const BUILDKIT = 'github.com/moby/buildkit';
export const BUILDKITD: GoProgram = {
  name: 'buildkitd',
  source: `${BUILDKIT}/cmd/buildkitd@v0.34.2`,
  mainModule: BUILDKIT,
};
export const BUILDCTL: GoProgram = {
  ...BUILDKITD,
  name: 'buildctl',
  source: `${BUILDKIT}/cmd/buildctl@v0.34.2`,
};

/** The first Go that fetches a newer one by itself where a module asks for it (go.dev/doc/toolchain). */
const OLDEST_GO = { major: 1, minor: 21 };
const SCRIPT = join(import.meta.dirname, 'go-build');
const ENVIRONMENT = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOTOOLCHAIN: 'auto' };

/**
 * Builds a static program from its Go module, unless this version is in the cache, and returns its path. Uses the
 * host's Go, and Debian's in a container where the host has none that is new enough.
 */
export function ensureGoProgram(program: GoProgram): Promise<string> {
  return once(program.name, () => makeGoProgram(program));
}

async function makeGoProgram(program: GoProgram): Promise<string> {
  const folder = cacheFolder('bin');
  const path = join(folder, fileName(program));
  if (existsSync(path)) return path;
  await alone(() => build(program, folder));
  return path;
}

async function build(program: GoProgram, folder: string): Promise<void> {
  const path = join(folder, fileName(program));
  if (existsSync(path)) return;
  const host = await hasGo(OLDEST_GO.major, OLDEST_GO.minor);
  const where = host ? "this host's Go" : "Debian's Go in a container";
  await phase(`${program.name}: building ${program.source} with ${where}`, () =>
    host ? buildOnHost(program, folder) : buildInContainer(program, folder),
  );
  renameSync(join(folder, program.name), path);
}

/** Where a program is that was built; null: it was not. */
export function builtProgram(program: GoProgram): string | null {
  const path = join(cacheFolder('bin'), fileName(program));
  return existsSync(path) ? path : null;
}

/** Name of the program's file in the cache. */
export function fileName(program: GoProgram): string {
  return `${program.name}-${program.source.split('@')[1]}`;
}

async function buildOnHost(program: GoProgram, folder: string): Promise<void> {
  const env = { ...process.env, ...ENVIRONMENT, GOBIN: folder };
  await run('sh', [SCRIPT, ...buildArguments(program)], { env, cwd: folder });
}

async function buildInContainer(program: GoProgram, folder: string): Promise<void> {
  const image = await ensureImage({
    name: 'go',
    folder: join(import.meta.dirname, 'images/go'),
    base: await ensureBase(DEFAULT_KIND),
  });
  const proxies = ['GOPROXY', 'GOSUMDB', 'GONOSUMDB', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
  await docker([
    ...['run', '--rm', '--label', 'gcelab', '--volume', `${folder}:/out`],
    ...['--volume', '/etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro'],
    ...['--volume', `${cacheFolder('go')}:/root/go`, '--env', 'GOBIN=/out'],
    ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...proxies.filter((name) => process.env[name] !== undefined).flatMap((name) => ['--env', name]),
    ...['--volume', `${SCRIPT}:/go-build:ro`, image, 'sh', '/go-build', ...buildArguments(program)],
  ]);
}

/** Those of `go-build`. */
function buildArguments({ source, mainModule, variables = {} }: GoProgram): string[] {
  const links = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  return [source, ['-s -w', ...links].join(' '), mainModule ?? ''];
}
