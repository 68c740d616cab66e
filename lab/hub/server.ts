import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { cacheFolder } from '../machines/checkout.ts';
import { ensureBase, ensureImage, recipeKey } from '../machines/images.ts';
import { DEFAULT_KIND } from '../machines/kinds.ts';
import { alone } from '../machines/lock.ts';
import { say } from '../machines/phases.ts';
import { attempt, docker, eventually, LabError } from '../machines/process.ts';
import { HUB_IMAGES, type HubImage, registry3 } from './images.ts';

export const HUB = 'gcelab-hub';
/** Mark of an image that came from Docker Hub itself. */
const REAL = 'Docker Hub';
const REAL_HUB = 'https://registry-1.docker.io/v2/';

/**
 * Starts a registry that serves Docker Hub's images on this host alone, to all labs, and fills it; `isQuick` leaves out what
 * only stories need. Returns its address, `http://127.0.0.1:PORT`.
 */
export function ensureHub(isQuick: boolean): Promise<string> {
  return alone(() => startAndFill(isQuick));
}

async function startAndFill(isQuick: boolean): Promise<string> {
  const builder = await ensureBuilder();
  const server = await ensureServer(builder);
  const images = HUB_IMAGES.filter(({ forStories }) => !(isQuick && forStories));
  await fill(server, images, builder);
  return `http://127.0.0.1:${server.port}`;
}

/** The image in which the lab builds from Debian's packages. */
export async function ensureBuilder(): Promise<string> {
  return ensureImage({
    name: 'builder',
    folder: join(import.meta.dirname, '../machines/images/builder'),
    base: await ensureBase(DEFAULT_KIND),
  });
}

interface HubServer {
  readonly port: number;
  /** Its data, in the cache of the checkout that started it first. */
  readonly folder: string;
}

async function ensureServer(builder: string): Promise<HubServer> {
  const image = await ensureImage(await registry3(builder));
  const format =
    '{{.Config.Image}} {{index .Config.Labels "gcelab.port"}} {{range .Mounts}}{{.Source}}{{end}}';
  const existing = await attempt('docker', ['inspect', '--format', format, HUB]);
  const [of, portText, source] = existing.stdout.trim().split(' ');
  const hasFolder = source !== undefined && existsSync(source);
  // The other labs know the port.
  const port = portText ? Number(portText) : await freePort();
  const server = { port, folder: hasFolder ? source : cacheFolder('hub') };
  if (of === image && hasFolder) await docker(['start', HUB]);
  else await createServer(image, server);
  if (await eventually(() => answers(`http://127.0.0.1:${port}/v2/`), 20_000)) return server;
  const log = await attempt('docker', ['logs', '--tail', '10', HUB]);
  throw new LabError(`The registry that stands in for Docker Hub does not answer:\n${log.stderr}`);
}

async function createServer(image: string, { port, folder }: HubServer): Promise<void> {
  await attempt('docker', ['rm', '--force', '--volumes', HUB]);
  await docker([
    ...['run', '--detach', '--name', HUB, '--network', 'host', '--restart', 'unless-stopped'],
    ...['--label', 'gcelab', '--label', `gcelab.port=${port}`],
    ...['--volume', `${folder}:/var/lib/registry`],
    ...['--env', `REGISTRY_HTTP_ADDR=127.0.0.1:${port}`, '--env', 'REGISTRY_HTTP_DEBUG_ADDR='],
    ...['--env', 'REGISTRY_LOG_LEVEL=warn', '--env', 'OTEL_TRACES_EXPORTER=none'],
    ...[image],
  ]);
}

/** Puts every image into the registry that is not there in its present form. */
async function fill(
  { port, folder }: HubServer,
  images: readonly HubImage[],
  builder: string,
): Promise<void> {
  const file = marksFile(folder);
  const marks = readMarks(file);
  let reachable: boolean | undefined;
  for (const image of images) {
    const name = image.references[0];
    if (marks[name] === REAL && image.isAlwaysBuilt !== true) continue;
    const recipe = await image.recipe(builder);
    const key = recipeKey(recipe);
    if (marks[name] === key) continue;
    if (reachable === undefined) {
      reachable = await answers(REAL_HUB);
      say(
        `Docker Hub ${reachable ? 'answers: images are taken from there' : 'does not answer: images are built'}`,
      );
    }
    const pulled = reachable && image.isAlwaysBuilt !== true && (await pull(name));
    await push(pulled ? name : await ensureImage(recipe), image, port);
    marks[name] = pulled ? REAL : key;
    writeFileSync(file, `${JSON.stringify(marks, null, 2)}\n`);
  }
}

async function pull(reference: string): Promise<boolean> {
  const pulled = await attempt('docker', ['pull', '--quiet', reference]);
  say(
    pulled.status === 0
      ? `${reference}: from Docker Hub`
      : `${reference}: not from Docker Hub, so it is built`,
  );
  return pulled.status === 0;
}

async function push(source: string, image: HubImage, port: number): Promise<void> {
  for (const reference of image.references) {
    const target = `127.0.0.1:${port}/${reference}`;
    await docker(['tag', source, target]);
    await docker(['push', '--quiet', target]);
    await docker(['image', 'rm', target]);
  }
}

/** Where each image in the registry came from; in the registry's folder, so that both go together. */
function marksFile(folder: string): string {
  return join(folder, 'images.json');
}

function readMarks(file: string): Record<string, string> {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/** 200 and 401 both mean that a registry is there (distribution specification, "Determining Support"). */
async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    return answer.status === 200 || answer.status === 401;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createTcpServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
