import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { BUILDCTL, BUILDKITD, CADDY, ensureGoProgram, REGISTRY } from '../machines/go.ts';
import type { Recipe } from '../machines/images.ts';
import { authority } from '../machines/instance.ts';
import { say } from '../machines/phases.ts';
import { helloProgram } from './hello.ts';

const FOLDER = join(import.meta.dirname, 'images');

/** An image of Docker Hub, with what it is made from where Docker Hub cannot be reached. */
export interface HubImage {
  /** The references under which it is served. */
  readonly references: readonly [string, ...string[]];
  /** It takes minutes to build, and only stories need it. */
  readonly forStories?: true;
  /** `builder` is the image in which the lab builds. */
  recipe(builder: string): Promise<Recipe>;
  /** That of Docker Hub will not do: it has to trust the lab's CA as well. */
  readonly isAlwaysBuilt?: true;
}

export const HUB_IMAGES: readonly HubImage[] = [
  { references: ['library/registry:3', 'library/registry:latest'], recipe: registry3 },
  { references: ['library/registry:2'], recipe: async (builder) => fromFolder('registry-2', builder) },
  {
    get references(): readonly [string, string] {
      return [`${caddyRepository()}:2.11.9`, `${caddyRepository()}:2`];
    },
    recipe: caddy,
    isAlwaysBuilt: true,
  },
  {
    references: [
      'joxit/docker-registry-ui:2.6.0',
      'joxit/docker-registry-ui:2',
      'joxit/docker-registry-ui:latest',
    ],
    recipe: async (builder) => fromFolder('joxit', builder),
  },
  {
    references: ['hyper/docker-registry-web:latest'],
    recipe: async (builder) => fromFolder('hyper', builder),
  },
  { references: ['library/hello-world:latest'], recipe: helloWorld },
  { references: ['library/busybox:latest'], recipe: async (builder) => fromFolder('busybox', builder) },
  { references: ['moby/buildkit:buildx-stable-1'], forStories: true, recipe: buildkit },
];

/**
 * Where Caddy's image is in the lab's own registry, which labs of several checkouts share: each has a CA of its own, that
 * the image trusts.
 */
export function caddyRepository(): string {
  return `library/caddy-${createHash('sha256').update(authority()).digest('hex').slice(0, 8)}`;
}

/** Registry 3 from its Go module; registry 2 from Debian stands in where no Go module can be had. */
export async function registry3(builder: string): Promise<Recipe> {
  try {
    const program = await ensureGoProgram(REGISTRY);
    return { ...fromFolder('registry-3', builder), files: { registry: readFileSync(program) } };
  } catch (error) {
    say(`registry 3 cannot be built: ${error instanceof Error ? error.message : error}`);
    say("Debian's docker-registry 2.8 stands in for registry 3");
    const configuration = readFileSync(join(FOLDER, 'registry-2/config.yml'));
    return { ...fromFolder('registry-3', builder), files: { 'config.yml': configuration } };
  }
}

async function caddy(builder: string): Promise<Recipe> {
  const files = { caddy: readFileSync(await ensureGoProgram(CADDY)), 'ca.crt': authority() };
  return { ...fromFolder('caddy', builder), files };
}

async function buildkit(builder: string): Promise<Recipe> {
  const files = {
    buildkitd: readFileSync(await ensureGoProgram(BUILDKITD)),
    buildctl: readFileSync(await ensureGoProgram(BUILDCTL)),
  };
  return { ...fromFolder('buildkit', builder), files };
}

async function helloWorld(): Promise<Recipe> {
  const architecture = arch() === 'x64' ? 'amd64' : 'arm64v8';
  const text = readFileSync(join(FOLDER, 'hello-world/hello.txt'), 'utf8').replace(
    'ARCHITECTURE',
    architecture,
  );
  return {
    name: 'hub-hello-world',
    folder: join(FOLDER, 'hello-world'),
    files: { hello: helloProgram(text, arch()) },
  };
}

function fromFolder(name: string, builder: string): Recipe {
  return { name: `hub-${name}`, folder: join(FOLDER, name), base: builder };
}
