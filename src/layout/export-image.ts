import { Slots } from '../job/slots';
import { waitForAll } from '../job/wait-for-all';
import type { RegistryApi } from '../registry/api';
import type { ContentApi } from '../registry/content';
import { ENDED_EARLY, FAILED, MISSING, NOT_VALID } from '../registry/http';
import type { Descriptor } from '../registry/manifest';
import type { ServedManifest } from '../registry/served-content';
import { ActionError } from '../values/errors';
import { download, WRONG_CONTENT } from './download';
import { blobFile, hasWhole, writeAtOnce } from './files';
import { type ImageName, refNameOf } from './names';
import { partFile } from './part-file';

/** An image that is to be in the layout. */
export interface Wanted extends ImageName {
  readonly digest: string;
}

/** An image that is in it. */
export interface Written extends Wanted {
  readonly entry: Descriptor;
  /** All that it consists of, itself included, by digest: bytes. */
  readonly parts: ReadonlyMap<string, number>;
}

/** What became of an image; `gone` and `broken` are words for people. */
export type Found = Written | { readonly gone: string } | { readonly broken: string };

export interface ExportTools {
  readonly manifests: Pick<RegistryApi, 'manifest'>;
  readonly content: ContentApi;
  /** Told of each image when it is there, or is not. */
  readonly onImage: (image: string) => void;
}

/** Requests at the same time. */
const REQUESTS = 4;
/** Indexes in indexes, deeper than anything real has. */
const MOST_DEPTH = 8;

/** One run of an export: what several images need is fetched once. */
export class Export {
  downloadedBytes = 0;
  /** Indexes of which the registry does not have all images, in words. */
  readonly sparse = new Set<string>();
  private readonly fetched = new Map<string, Promise<void>>();
  private readonly slots = new Slots(REQUESTS);
  private failure: { readonly error: unknown } | null = null;
  private readonly root: string;
  private readonly tools: ExportTools;

  constructor(root: string, tools: ExportTools) {
    this.root = root;
    this.tools = tools;
  }

  /** Fetches an image; never says that it is there before all of it is. */
  async image(wanted: Wanted): Promise<Found> {
    const { repository, digest } = wanted;
    const name = refNameOf(wanted, digest);
    try {
      const parts = new Map<string, number>();
      const served = await this.manifest(repository, digest, parts, 0);
      if (served === null) return this.gone(name);
      this.tools.onImage(`${name} ${digest}`);
      const { mediaType, bytes } = served;
      return { ...wanted, parts, entry: { mediaType, digest, size: bytes.length } };
    } catch (error) {
      if (!isOfOneImage(error)) {
        this.failure ??= { error };
        throw error;
      }
      // Its parts are collected as soon as nothing needs them.
      if ((await this.ask(repository, digest).catch(() => undefined)) === null) return this.gone(name);
      const broken = `${name} (${error.problem.doing}: ${error.problem.happened})`;
      this.tools.onImage(broken);
      return { broken };
    }
  }

  private gone(name: string): Found {
    const gone = `${name} was deleted while the backup was made, and is not in it`;
    this.tools.onImage(gone);
    return { gone };
  }

  private ask(repository: string, digest: string): Promise<ServedManifest | null> {
    return this.request(() => this.tools.manifests.manifest(repository, digest));
  }

  /** After an error that is of no single image nothing more is begun. */
  private request<T>(work: () => Promise<T>): Promise<T> {
    return this.slots.run(() => (this.failure === null ? work() : Promise.reject(this.failure.error)));
  }

  /** Fetches a manifest with all that it leads to; null: the registry does not have it. */
  private async manifest(
    repository: string,
    digest: string,
    parts: Map<string, number>,
    depth: number,
  ): Promise<ServedManifest | null> {
    const served = await this.ask(repository, digest);
    if (served === null) return null;
    const { manifest, bytes } = served;
    if (manifest.kind === 'image') {
      const blobs = [manifest.config, ...manifest.layers].filter(({ foreign }) => foreign !== true);
      await waitForAll(blobs.map((blob) => this.blob(repository, blob, parts)));
    } else {
      if (depth === MOST_DEPTH) throw tooDeep(repository, digest);
      for (const child of manifest.manifests) {
        if (parts.has(child.digest)) continue;
        if ((await this.manifest(repository, child.digest, parts, depth + 1)) === null)
          this.sparse.add(
            `${repository}@${digest} names ${child.digest}, which the registry does not have; the others are there`,
          );
      }
    }
    await this.once(digest, () => this.save(digest, bytes));
    parts.set(digest, bytes.length);
    return served;
  }

  private async save(digest: string, bytes: Buffer): Promise<void> {
    if (await hasWhole(this.root, { mediaType: '', digest, size: bytes.length })) return;
    await writeAtOnce(blobFile(this.root, digest), bytes, partFile(this.root, digest));
    this.downloadedBytes += bytes.length;
  }

  private async blob(repository: string, content: Descriptor, parts: Map<string, number>): Promise<void> {
    await this.once(content.digest, async () => {
      const { root, tools } = this;
      const bytes = await this.request(() => download(tools.content, root, repository, content));
      this.downloadedBytes += bytes;
    });
    parts.set(content.digest, content.size);
  }

  /** Another repository may have what the first one lacks: there it is tried again. */
  private once(digest: string, work: () => Promise<void>): Promise<void> {
    const before = this.fetched.get(digest);
    const fetched = before === undefined ? work() : before.catch(work);
    this.fetched.set(digest, fetched);
    return fetched;
  }
}

/** Whether others can be good where this one is not. */
function isOfOneImage(error: unknown): error is ActionError {
  const codes = [MISSING, NOT_VALID, ENDED_EARLY, FAILED, WRONG_CONTENT];
  return error instanceof ActionError && error.code !== undefined && codes.includes(error.code);
}

function tooDeep(repository: string, digest: string): ActionError {
  return new ActionError(
    'Registry answer not valid',
    {
      doing: `reading the index ${repository}@${digest}`,
      happened: `it is the ${MOST_DEPTH + 1}th index in one another`,
      next: 'Delete it: nothing that is used has that many',
    },
    { code: NOT_VALID },
  );
}
