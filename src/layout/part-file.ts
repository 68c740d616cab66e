import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Receiver } from '../registry/content';
import { ofDisk } from './disk';
import { APPENDING, blobFile, hashInto } from './files';

/** The folder of downloads that are not whole yet; it goes when a backup is done. */
export function partsOf(root: string): string {
  return join(root, 'incomplete');
}

/** Where a piece of content is until it is whole. */
export function partFile(root: string, digest: string): string {
  return join(partsOf(root), digest.slice('sha256:'.length));
}

const BUFFER_BYTES = 256 * 1024;

/** A download that is not whole yet, and goes on where it was cut off. */
export class PartFile implements Receiver {
  private at = 0;
  private readonly buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  private gathered = 0;
  private hash: Hash = createHash('sha256');
  private readonly root: string;
  private readonly digest: string;
  private readonly path: string;
  private readonly file: FileHandle;

  private constructor(root: string, digest: string, path: string, file: FileHandle) {
    this.root = root;
    this.digest = digest;
    this.path = path;
    this.file = file;
  }

  static async open(root: string, digest: string): Promise<PartFile> {
    const path = partFile(root, digest);
    const part = new PartFile(root, digest, path, await open(path, APPENDING, 0o644));
    part.at = await hashInto(part.file, part.hash);
    return part;
  }

  get length(): number {
    return this.at;
  }

  /** Gathers: TLS comes in pieces of 16 kB, and to write each of them by itself makes more garbage than it has bytes. */
  update(chunk: Buffer): Promise<void> | null {
    if (this.gathered + chunk.length <= this.buffer.length) {
      this.gathered += chunk.copy(this.buffer, this.gathered);
      this.at += chunk.length;
      return null;
    }
    this.at += chunk.length;
    return this.flush().then(() => this.take(chunk));
  }

  private async take(chunk: Buffer): Promise<void> {
    if (chunk.length > this.buffer.length) await this.append(chunk);
    else this.gathered = chunk.copy(this.buffer);
  }

  private async flush(): Promise<void> {
    const bytes = this.buffer.subarray(0, this.gathered);
    this.gathered = 0;
    await this.append(bytes);
  }

  private async append(bytes: Buffer): Promise<void> {
    this.hash.update(bytes);
    try {
      for (let written = 0; written < bytes.length; )
        written += (await this.file.write(bytes, written, bytes.length - written)).bytesWritten;
    } catch (error) {
      // It must not be taken for an answer of the registry that ended.
      throw ofDisk(this.root, error);
    }
  }

  async reset(): Promise<void> {
    this.gathered = 0;
    await this.file.truncate(0);
    this.hash = createHash('sha256');
    this.at = 0;
  }

  /** Puts it among the content of the layout, if it is what it should be; else it goes. Returns whether it was. */
  async finish(): Promise<boolean> {
    await this.flush();
    const isRight = `sha256:${this.hash.copy().digest('hex')}` === this.digest;
    if (isRight) {
      await this.file.sync();
      await rename(this.path, blobFile(this.root, this.digest));
    } else await rm(this.path, { force: true });
    return isRight;
  }

  /** What was gathered stays for the next run. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.file.close();
    }
  }
}
