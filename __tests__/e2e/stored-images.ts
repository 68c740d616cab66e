import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { containerOf, output } from './lab';

// Images as the registry has them on its disk, by the thousand and of any age: written there, rather than pushed.
// https://github.com/distribution/distribution/blob/v3.1.2/registry/storage/paths.go

export const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

/** A manifest that was put there, with all that it needs. */
export interface Stored {
  readonly digest: string;
  readonly blobs: readonly string[];
}

export class StoredImages {
  private readonly root = mkdtempSync(join(tmpdir(), 'stored-'));
  private readonly sizes = new Map<string, number>();

  blob(bytes: Buffer): string {
    const hex = createHash('sha256').update(bytes).digest('hex');
    this.write(`blobs/sha256/${hex.slice(0, 2)}/${hex}/data`, bytes, 2000);
    this.sizes.set(`sha256:${hex}`, bytes.length);
    return `sha256:${hex}`;
  }

  layer(bytes: number): string {
    return this.blob(randomBytes(bytes));
  }

  /** @param daysAgo when it was pushed */
  image(repository: string, layers: readonly string[], daysAgo: number, more: object = {}): Stored {
    const config = this.blob(
      Buffer.from(JSON.stringify({ os: 'linux', id: randomBytes(8).toString('hex') })),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: IMAGE,
      config: this.descriptor(config, CONFIG),
      layers: layers.map((layer) => this.descriptor(layer, LAYER)),
      ...more,
    };
    for (const blob of [config, ...layers])
      this.link(`${repository}/_layers/sha256/${blob.slice(7)}`, blob, daysAgo);
    return { digest: this.manifest(repository, manifest, daysAgo), blobs: [config, ...layers] };
  }

  index(repository: string, children: readonly Stored[], daysAgo: number): Stored {
    const manifests = children.map(({ digest }) => this.descriptor(digest, IMAGE));
    const digest = this.manifest(repository, { schemaVersion: 2, mediaType: INDEX, manifests }, daysAgo);
    return { digest, blobs: children.flatMap((child) => [child.digest, ...child.blobs]) };
  }

  /** Any content as a manifest of this repository. */
  manifest(repository: string, content: object | string, daysAgo: number): string {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const digest = this.blob(Buffer.from(text));
    this.link(`${repository}/_manifests/revisions/sha256/${digest.slice(7)}`, digest, daysAgo);
    return digest;
  }

  tag(repository: string, name: string, { digest }: Pick<Stored, 'digest'>, daysAgo: number): void {
    const tag = `${repository}/_manifests/tags/${name}`;
    this.link(`${tag}/current`, digest, daysAgo);
    this.link(`${tag}/index/sha256/${digest.slice(7)}`, digest, daysAgo);
  }

  link(path: string, content: string, daysAgo: number): void {
    this.write(`repositories/${path}/link`, Buffer.from(content), daysAgo);
  }

  descriptor(digest: string, mediaType: string): object {
    return { mediaType, digest, size: this.sizes.get(digest) };
  }

  /** Puts all of it on the disk of an instance, where its registry has its data, and forgets it here. */
  async put(instance = 'registry-1', data?: string): Promise<void> {
    const place = `${data ?? (await dataOf(instance))}/docker/registry/v2`;
    await output(instance, `mkdir -p ${place}`);
    const container = await containerOf(instance);
    await new Promise<void>((resolve, reject) => {
      const tar = spawn('bash', [
        '-c',
        'set -o pipefail; tar -C "$1" -cf - . | docker exec -i "$2" tar -C "$3" -xpf -',
        'bash',
        this.root,
        container,
        place,
      ]);
      tar.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`tar ended with ${status}`))));
    });
    rmSync(this.root, { recursive: true });
  }

  private write(path: string, content: Buffer, daysAgo: number): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    const time = Date.now() / 1000 - daysAgo * 86_400;
    utimesSync(file, time, time);
  }
}

/** Where the registry of an instance has its data. */
export function dataOf(instance: string): Promise<string> {
  return output(instance, "docker volume inspect --format '{{.Mountpoint}}' gce-registry_registry-data");
}

/** Bytes that its images take on the disk. */
export async function bytesOnDisk(instance: string): Promise<number> {
  return Number((await output(instance, `du -sB1 ${await dataOf(instance)}/docker`)).split('\t')[0]);
}
