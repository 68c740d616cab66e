import { createHash } from 'node:crypto';

/** What Google says for an empty list of tags or labels, everywhere. */
const EMPTY = '42WmSpB8rSM=';

/** Fingerprint of a list: eight bytes in canonical base64, the same for the same content. */
export function fingerprint(items: readonly unknown[]): string {
  if (items.length === 0) return EMPTY;
  return createHash('sha256').update(JSON.stringify(items)).digest().subarray(0, 8).toString('base64');
}

/** Whether a text is canonical base64, as a field of type bytes must be. */
export function isCanonicalBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text;
}
