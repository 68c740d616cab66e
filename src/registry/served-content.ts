import { createHash } from 'node:crypto';
import { type ActionError, messageOf } from '../values/errors';
import type { RegistryAnswer } from './http';
import { type Descriptor, type Manifest, parseManifest } from './manifest';

/** A manifest as the registry serves it; its digest is that of the bytes that arrived. */
export interface ServedManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly manifest: Manifest;
}

/**
 * The manifest in an answer, held against the digest that was asked for, if it was one, and against what the registry
 * says of it.
 *
 * @throws what `refuse` makes of the reason
 */
export function checkedManifest(
  answer: RegistryAnswer,
  reference: string,
  refuse: (reason: string) => ActionError,
): ServedManifest {
  const { body: bytes, headers } = answer;
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const wanted = reference.includes(':') ? reference : null;
  const { algorithm } = splitDigest(wanted ?? 'sha256:');
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (wanted !== null && wanted !== digest) throw refuse(`it sent a manifest with the digest ${digest}`);
  // The header is only a claim, but one that contradicts the content means that something is wrong.
  const claimed = headers['docker-content-digest'];
  if (typeof claimed === 'string' && claimed !== digest && claimed.startsWith(`${algorithm}:`)) {
    throw refuse(`its Docker-Content-Digest is not the digest of what it sent (${digest})`);
  }
  try {
    return { digest, mediaType, bytes, manifest: parseManifest(bytes.toString('utf8'), mediaType) };
  } catch (cause) {
    throw refuse(messageOf(cause));
  }
}

/** What is wrong with content of this length and hash, as hexadecimal digits; null: nothing. */
export function problemOfContent(content: Descriptor, length: number, found: string): string | null {
  if (length !== content.size) return `it sent ${length} bytes of content in place of ${content.size}`;
  return found === splitDigest(content.digest).hex ? null : `it sent content with the digest ${found}`;
}

/** The parts of a digest; one of an unknown algorithm is held against SHA-256, and so is never right. */
export function splitDigest(digest: string): { algorithm: 'sha256' | 'sha512'; hex: string } {
  const [algorithm, hex = ''] = digest.split(':');
  return { algorithm: algorithm === 'sha512' ? 'sha512' : 'sha256', hex };
}
