import { createHash } from 'node:crypto';

/** SHA-256 of UTF-8 text or bytes, in hex, as sha256sum prints it. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Whether it is `sha256:` and 64 hex digits, as the registry writes it. */
export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}
