import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { on } from './lab.ts';

const REPOSITORIES = 20;
const LAYERS = 4;
const DAY_SECONDS = 86_400;

/**
 * Puts images on the disk of an instance as the registry has them there: each with a tag and six blobs of its own, half of
 * them old. https://github.com/distribution/distribution/blob/v3.1.2/registry/storage/paths.go
 */
export async function putImages(instance: string, container: string, count: number): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'images-'));
  try {
    for (let number = 0; number < count; number += 1) {
      putImage(root, `r${number % REPOSITORIES}`, `t${number}`, number < count / 2 ? 400 : 2);
    }
    await send(root, instance, container);
  } finally {
    rmSync(root, { recursive: true });
  }
}

function putImage(root: string, repository: string, tag: string, daysAgo: number): void {
  const write = (path: string, content: string | Buffer) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    const time = Date.now() / 1000 - daysAgo * DAY_SECONDS;
    utimesSync(file, time, time);
  };
  const blob = (content: Buffer) => {
    const hex = createHash('sha256').update(content).digest('hex');
    write(`blobs/sha256/${hex.slice(0, 2)}/${hex}/data`, content);
    return { digest: `sha256:${hex}`, hex, size: content.length };
  };
  const link = (path: string, digest: string) => write(`repositories/${repository}/${path}/link`, digest);
  const layers = Array.from({ length: LAYERS + 1 }, () => blob(randomBytes(500)));
  for (const { hex, digest } of layers) link(`_layers/sha256/${hex}`, digest);
  const [config, ...rest] = layers.map(({ digest, size }) => ({
    mediaType: 'application/octet-stream',
    digest,
    size,
  }));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const { digest, hex } = blob(
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: rest })),
  );
  link(`_manifests/revisions/sha256/${hex}`, digest);
  link(`_manifests/tags/${tag}/current`, digest);
  link(`_manifests/tags/${tag}/index/sha256/${hex}`, digest);
}

async function send(root: string, instance: string, container: string): Promise<void> {
  const data = await on(
    instance,
    "docker volume inspect --format '{{.Mountpoint}}' gce-registry_registry-data",
  );
  const place = `${data}/docker/registry/v2`;
  await on(instance, `rm -rf ${place}; mkdir -p ${place}`);
  await new Promise<void>((done, fail) => {
    const script = 'set -o pipefail; tar -C "$1" -cf - . | docker exec -i "$2" tar -C "$3" -xpf -';
    const tar = spawn('bash', ['-c', script, 'bash', root, container, place]);
    tar.on('error', fail);
    tar.on('close', (status) => (status === 0 ? done() : fail(new Error(`tar ended with ${status}`))));
  });
}
