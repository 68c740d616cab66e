import { createHash } from 'node:crypto';

/** What Google says for an empty list of tags or labels, everywhere. */
const EMPTY = '42WmSpB8rSM=';

/** Fingerprint of a list: eight bytes in canonical base64, the same for the same content. */
export function fingerprint(items: readonly unknown[]): string {
  if (items.length === 0) return EMPTY;
  return createHash('sha256').update(JSON.stringify(items)).digest().subarray(0, 8).toString('base64');
}

/** Whether a text is base64 of bytes, in the standard or in the URL's alphabet, as proto3's JSON mapping allows. */
export function isBase64(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return normal(bytes.toString('base64')) === normal(text);
}

/** Whether two fingerprints are the same bytes: gcloud writes them in the URL's alphabet. */
export function isSameFingerprint(a: unknown, b: string): boolean {
  return typeof a === 'string' && normal(a) === normal(b);
}

const normal = (text: string): string => text.replaceAll('-', '+').replaceAll('_', '/');
