import { invalid, invalidField, required } from './errors.ts';
import type { JsonObject } from './merge-patch.ts';
import { checkName } from './values.ts';
import type { MetadataItem } from './world.ts';

/** https://cloud.google.com/vpc/docs/add-remove-network-tags#restrictions */
export const MAX_TAGS = 64;
/** https://cloud.google.com/compute/docs/metadata/setting-custom-metadata#limitations */
export const MAX_VALUE_BYTES = 262_144;
export const MAX_TOTAL_BYTES = 524_288;
const KEY = /^[a-zA-Z0-9_-]{1,128}$/;

/** Tags of a setTags request. Throws the API's 400. */
export function checkTags(body: JsonObject, instance: string): string[] {
  const tags = [...((body.items ?? []) as readonly string[])];
  if (tags.length > MAX_TAGS) {
    throw invalid(
      `Invalid value for field 'resource.items': Too many tags: ${tags.length}. Maximum is ${MAX_TAGS}.`,
    );
  }
  for (const [index, tag] of tags.entries()) {
    checkName(`resource.items[${index}]`, tag);
    if (tags.indexOf(tag) !== index)
      throw invalid(`Duplicate tags are not allowed: ${tag} on compute instance: ${instance}`);
  }
  return tags;
}

/** Entries of a setMetadata request. Throws the API's 400. */
export function checkMetadata(body: JsonObject): MetadataItem[] {
  const items = ((body.items ?? []) as readonly Partial<MetadataItem>[]).map(checkItem);
  for (const [index, { key }] of items.entries()) {
    if (items.findIndex((item) => item.key === key) !== index) {
      throw invalidField(`resource.items[${index}].key`, key, 'Metadata key already exists.');
    }
  }
  const total = items.reduce((sum, { key, value }) => sum + key.length + Buffer.byteLength(value), 0);
  if (total > MAX_TOTAL_BYTES) {
    throw invalid(
      `Value for field 'resource.items' is too large: maximum size ${MAX_TOTAL_BYTES} character(s); actual size ${total}.`,
    );
  }
  return items;
}

function checkItem(item: Partial<MetadataItem>, index: number): MetadataItem {
  const { key, value = '' } = item;
  if (key === undefined) throw required(`resource.items[${index}].key`);
  if (!KEY.test(key)) {
    throw invalidField(
      `resource.items[${index}].key`,
      key,
      "Must be a match of regex '[a-zA-Z0-9-_]{1,128}'",
    );
  }
  const size = Buffer.byteLength(value);
  if (size > MAX_VALUE_BYTES) {
    throw invalid(
      `Value for field 'metadata.items[${index}].value' is too large: maximum size ${MAX_VALUE_BYTES} character(s); actual size ${size}.`,
    );
  }
  return { key, value };
}
