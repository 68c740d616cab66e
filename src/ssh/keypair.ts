import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { ActionError } from '../values/errors';

/** A key pair that was made for one run. */
export interface EphemeralKey {
  /** OpenSSH private key file, PEM armoured, not encrypted. A secret. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
}

/** Makes an ed25519 key pair that is known to this process only. */
export function generateEphemeralKey(): EphemeralKey {
  return openSshForm(generateKeyPairSync('ed25519').privateKey);
}

/** An ed25519 key in the form that OpenSSH and ssh2 read. */
export function openSshForm(key: KeyObject): EphemeralKey {
  const { x, d } = key.export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new Error('Node exported an ed25519 key without x or d');
  const publicBytes = Buffer.from(x, 'base64url');
  const secretBytes = Buffer.from(d, 'base64url');
  const publicBlob = Buffer.concat([sshString(KEY_TYPE), sshString(publicBytes)]);
  return {
    privateKey: armour(openSshKey(publicBlob, publicBytes, secretBytes)),
    publicKey: `${KEY_TYPE} ${publicBlob.toString('base64')}`,
  };
}

const KEY_TYPE = 'ssh-ed25519';

/** https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key, with cipher and KDF `none`. */
function openSshKey(publicBlob: Buffer, publicBytes: Buffer, secretBytes: Buffer): Buffer {
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    sshString(KEY_TYPE),
    sshString(publicBytes),
    sshString(Buffer.concat([secretBytes, publicBytes])),
    sshString(''),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  return Buffer.concat([
    Buffer.from('openssh-key-v1\0', 'latin1'),
    sshString('none'),
    sshString('none'),
    sshString(''),
    Buffer.from([0, 0, 0, 1]),
    sshString(publicBlob),
    sshString(Buffer.concat([secret, padding])),
  ]);
}

function sshString(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function armour(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/**
 * The `ssh-keys` metadata entry that admits a key until it expires; the guest agent on the instance obeys it.
 *
 * https://cloud.google.com/compute/docs/connect/add-ssh-keys#metadata
 */
export function sshKeysEntry(user: string, publicKey: string, expires: Date): string {
  const expireOn = expires.toISOString().replace(/\.\d{3}Z$/, '+0000');
  return `${user}:${publicKey} google-ssh ${JSON.stringify({ userName: user, expireOn })}`;
}

/** Length limit of one metadata value, in bytes. https://cloud.google.com/compute/docs/metadata/overview */
const METADATA_LIMIT = 262_144;

/**
 * An `ssh-keys` metadata value with `entry` in it, as its last line. Entries of the same user that have expired are
 * dropped; all else stays as it is, byte for byte, so that `removeSshKey` gives the owner's value back: Terraform, for
 * one, compares it by the letter.
 *
 * @throws ActionError `Instance metadata is full`
 */
export function addSshKey(value: string | null, entry: string, now: Date): string {
  const kept = linesWithout(value, entry, now);
  // A value that ends in a newline goes on to do so; an empty value is a line, and no value is none.
  const end = kept.length > 1 && kept.at(-1) === '' ? kept.length - 1 : kept.length;
  const added = kept.toSpliced(end, 0, entry).join('\n');
  if (Buffer.byteLength(added) > METADATA_LIMIT) {
    throw new ActionError('Instance metadata is full', {
      doing: "putting this run's SSH key into the metadata entry ssh-keys",
      happened: `it would be ${Buffer.byteLength(added)} bytes long, and the limit is ${METADATA_LIMIT}`,
      next: 'Remove keys that are no longer needed from the metadata of the instance, or give ssh-private-key',
    });
  }
  return added;
}

/**
 * An `ssh-keys` metadata value without `entry`, and without entries of the same user that have expired; null when
 * no other line is left.
 */
export function removeSshKey(value: string | null, entry: string, now: Date): string | null {
  const kept = linesWithout(value, entry, now);
  return kept.length === 0 ? null : kept.join('\n');
}

/**
 * An `ssh-keys` metadata value without the entries that runs with this user left behind: those of the form that
 * `sshKeysEntry` makes whose time is over. Null when no other line is left.
 */
export function dropExpiredKeys(value: string | null, user: string, now: Date): string | null {
  const kept = linesOf(value).filter((line) => !hasExpired(line, user, now));
  return kept.length === 0 ? null : kept.join('\n');
}

function linesWithout(value: string | null, entry: string, now: Date): string[] {
  const user = entry.slice(0, entry.indexOf(':'));
  return linesOf(value).filter((line) => line !== entry && !hasExpired(line, user, now));
}

function linesOf(value: string | null): string[] {
  return value === null ? [] : value.split('\n');
}

/** Whether a line is an entry of the form that `sshKeysEntry` makes, for `user`, and has expired. */
function hasExpired(line: string, user: string, now: Date): boolean {
  const match = /^([^:]+):ssh-ed25519 \S+ google-ssh (\{.*\})\s*$/.exec(line);
  if (match === null || match[1] !== user) return false;
  try {
    const { userName, expireOn } = JSON.parse(match[2] ?? '') as { userName?: unknown; expireOn?: unknown };
    return userName === user && typeof expireOn === 'string' && Date.parse(expireOn) < now.getTime();
  } catch {
    return false;
  }
}

/**
 * With OS Login the guest agent ignores keys in metadata, so a key that is put there would never work.
 *
 * @throws ActionError `OS Login is enabled` when the instance's own metadata turns it on
 */
export function refuseOsLogin(
  instance: string,
  metadata: readonly { readonly key: string; readonly value: string }[],
): void {
  const setting = metadata.find(({ key }) => key === 'enable-oslogin')?.value.trim();
  if (!/^(true|1|y|yes)$/i.test(setting ?? '')) return;
  throw new ActionError('OS Login is enabled', {
    doing: `preparing the SSH login on ${instance}`,
    happened: 'its metadata says enable-oslogin=TRUE, and with OS Login SSH keys in metadata are ignored',
    next: 'Set enable-oslogin=FALSE in the metadata of this instance, or give ssh-user and ssh-private-key of an OS Login profile',
  });
}
