import { access } from 'node:fs/promises';
import type { ContentApi } from '../registry/content';
import type { Descriptor } from '../registry/manifest';
import { ActionError } from '../values/errors';
import { blobFile, hasWhole } from './files';
import { PartFile } from './part-file';

/** `code` of the error for content that is not what its digest says. */
export const WRONG_CONTENT = 'registry-content-wrong';

/**
 * Sees to it that a layout has a blob: what is there already is held against its digest, what is half there goes on.
 *
 * @returns bytes that were downloaded
 * @throws ActionError `Registry answer not valid` where it is not what its digest says, and those of ContentApi
 */
export async function download(
  api: ContentApi,
  root: string,
  repository: string,
  content: Descriptor,
): Promise<number> {
  if (await isThere(root, content)) return 0;
  const part = await PartFile.open(root, content.digest);
  try {
    if (part.length > content.size) await part.reset();
    const before = part.length;
    if (before < content.size || content.size === 0) await api.readBlob(repository, content, part);
    if (await part.finish()) return content.size - before;
  } finally {
    await part.close();
  }
  throw new ActionError(
    'Registry answer not valid',
    {
      doing: `downloading ${repository}@${content.digest} from the registry`,
      happened: 'what it sent has another digest',
      next: 'Run again; where it stays, the disk of the registry is damaged, and the image has to be pushed again',
    },
    { code: WRONG_CONTENT },
  );
}

async function isThere(root: string, content: Descriptor): Promise<boolean> {
  const isFile = await access(blobFile(root, content.digest)).then(
    () => true,
    () => false,
  );
  return isFile && (await hasWhole(root, content));
}
