import { PAUSES_MS, retry } from '../job/retry';
import type { Sleep } from '../job/sleep';
import { Slots } from '../job/slots';
import { waitForAll } from '../job/wait-for-all';
import type { RegistryApi } from '../registry/api';
import { type ContentApi, isMissing } from '../registry/content';
import { isTransient } from '../registry/http';
import type { Descriptor } from '../registry/manifest';
import { messageOf } from '../values/errors';
import { manifestBytes, readImage, type StoredImage } from './contents';
import { damaged } from './damage';
import { verifiedBody } from './files';
import type { ImageName } from './names';

/** An image of a layout, and where it goes. */
export interface Restorable extends ImageName {
  readonly content: Descriptor;
}

export interface ImportTools {
  readonly manifests: Pick<RegistryApi, 'manifest' | 'putManifest' | 'probeBlob'>;
  readonly content: ContentApi;
  readonly sleep: Sleep;
  /** Told before something that failed for a transient reason is tried again. */
  readonly onRetry: (what: string, why: string, pauseMs: number) => void;
}

/** What became of an image. */
export type Restored = 'restored' | 'there already' | 'another is there';

/** Requests at the same time. */
const REQUESTS = 4;

/** One run of an import: what several images need is sent once. */
export class Import {
  sentBytes = 0;
  private readonly slots = new Slots(REQUESTS);
  /** Repositories that have a blob, by digest. */
  private readonly homes = new Map<string, string>();
  /** What is on its way, by digest, and what was, by repository and digest. */
  private readonly sending = new Map<string, Promise<void>>();
  private readonly sent = new Map<string, Promise<void>>();
  private failure: { readonly error: unknown } | null = null;
  private readonly root: string;
  private readonly overwrite: boolean;
  private readonly tools: ImportTools;

  constructor(root: string, overwrite: boolean, tools: ImportTools) {
    this.root = root;
    this.overwrite = overwrite;
    this.tools = tools;
  }

  /**
   * Puts an image where it goes: its blobs, then its manifests, and its tag last.
   *
   * @throws ActionError `Backup is damaged`, `Registry refused a request`: before the tag is there
   */
  async image({ repository, tag, content }: Restorable): Promise<Restored> {
    const { digest } = content;
    const stored = await readImage(this.root, content);
    const { content: api } = this.tools;
    const before = await this.request(() => api.manifestDigest(repository, tag ?? digest));
    if (before !== null && before !== digest && !this.overwrite) return 'another is there';
    await this.put(repository, stored, tag ?? digest, before === digest);
    return before === digest ? 'there already' : 'restored';
  }

  /** After this nothing more is begun. */
  giveUp(error: unknown): void {
    this.failure ??= { error };
  }

  /** @param isThere the manifest alone need not be sent */
  private async put(
    repository: string,
    image: StoredImage,
    reference: string,
    isThere: boolean,
  ): Promise<void> {
    const { mediaType, digest } = image.content;
    await waitForAll(image.blobs.map((blob) => this.once(repository, blob)));
    for (const child of image.children) {
      const name = child.content.digest;
      const has = await this.request(() => this.tools.content.manifestDigest(repository, name));
      await this.put(repository, child, name, has === name);
    }
    for (const absent of image.absent) await this.requireThere(repository, digest, absent);
    if (isThere) return;
    const { manifests } = this.tools;
    await this.patiently(`${repository}@${digest}`, async () => {
      const bytes = await manifestBytes(this.root, image.content);
      await manifests.putManifest(repository, reference, mediaType, bytes);
    });
  }

  private async requireThere(repository: string, index: string, digest: string): Promise<void> {
    const there = await this.request(() => this.tools.content.manifestDigest(repository, digest));
    if (there !== digest)
      throw damaged(this.root, index, `it is an index of which the layout lacks the image ${digest}`);
  }

  /** A blob that is on its way into another repository is waited for: the registry can take it from there. */
  private once(repository: string, blob: Descriptor): Promise<void> {
    const key = `${repository}@${blob.digest}`;
    const known = this.sent.get(key);
    if (known !== undefined) return known;
    const before = this.sending.get(blob.digest) ?? Promise.resolve();
    const sent = before.catch(() => undefined).then(() => this.send(repository, blob));
    this.sending.set(blob.digest, sent);
    this.sent.set(key, sent);
    return sent;
  }

  private async send(repository: string, blob: Descriptor): Promise<void> {
    const { content, manifests } = this.tools;
    await this.patiently(`${repository}@${blob.digest}`, async () => {
      if (await this.has(manifests, repository, blob)) return;
      const from = this.homes.get(blob.digest) ?? null;
      if (await content.sendBlob(repository, blob, from, verifiedBody(this.root, blob)))
        this.sentBytes += blob.size;
    });
    this.homes.set(blob.digest, repository);
  }

  private async has(
    manifests: ImportTools['manifests'],
    repository: string,
    blob: Descriptor,
  ): Promise<boolean> {
    // Of nothing no part can be asked for.
    if (blob.size === 0) return false;
    try {
      await manifests.probeBlob(repository, blob);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  private request<T>(work: () => Promise<T>): Promise<T> {
    return this.slots.run(() => (this.failure === null ? work() : Promise.reject(this.failure.error)));
  }

  /** Sending the same content twice does no harm. */
  private async patiently(what: string, work: () => Promise<void>): Promise<void> {
    const error = await retry<unknown>(
      async () => {
        try {
          await this.request(work);
          return { done: true, value: null };
        } catch (error) {
          return { done: !isTransient(error), value: error };
        }
      },
      {
        pausesMs: PAUSES_MS,
        sleep: this.tools.sleep,
        announce: (pauseMs, error) => this.tools.onRetry(what, messageOf(error), pauseMs),
      },
    );
    if (error !== null) throw error;
  }
}
