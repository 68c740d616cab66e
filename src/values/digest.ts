import { createHash } from 'node:crypto';

/** SHA-256 of UTF-8 text or bytes, in hex, as sha256sum prints it. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
