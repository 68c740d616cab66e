import { ActionError } from '../values/errors';
import { show } from '../values/show';

/** https://cloud.google.com/vpc/docs/add-remove-network-tags#restrictions */
const MOST_TAGS = 64;

/** All keys and values together. https://cloud.google.com/compute/docs/metadata/setting-custom-metadata#limitations */
const MOST_METADATA_BYTES = 524_288;

/**
 * Refuses a list of tags that is longer than Google's limit, before it is sent.
 *
 * @throws ActionError `The instance has too many network tags`
 */
export function requireRoomForTags(instance: string, tags: readonly string[]): void {
  if (tags.length <= MOST_TAGS) return;
  throw new ActionError('The instance has too many network tags', {
    doing: `adding the network tag ${show(tags.at(-1) ?? '')} to instance ${instance}`,
    happened: `it has ${tags.length - 1} tags, and the limit is ${MOST_TAGS}`,
    next: 'Remove a tag that is no longer needed, or name one that the instance has in the input target-tag',
  });
}

/**
 * Refuses metadata that are larger than Google's limit, before they are sent.
 *
 * @throws ActionError `Instance metadata is full`
 */
export function requireRoomForMetadata(
  instance: string,
  key: string,
  items: readonly { readonly key: string; readonly value: string }[],
): void {
  const size = items.reduce((sum, item) => sum + item.key.length + Buffer.byteLength(item.value), 0);
  if (size <= MOST_METADATA_BYTES) return;
  throw new ActionError('Instance metadata is full', {
    doing: `setting the metadata entry ${key} of instance ${instance}`,
    happened: `all entries together would be ${size} bytes long, and the limit is ${MOST_METADATA_BYTES}`,
    next: 'Remove entries that are no longer needed from the metadata of the instance, or give ssh-private-key',
  });
}
