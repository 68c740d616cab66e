import { createHash, createHmac } from 'node:crypto';
import { ActionError } from '../values/errors';
import { show } from '../values/show';

/** A host key that was agreed on beforehand. */
export interface PinnedHostKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, …; null where only a fingerprint is known. */
  readonly type: string | null;
  /** `SHA256:` and unpadded base64, as ssh-keygen prints it. */
  readonly fingerprint: string;
}

/** What a host key is checked against. */
export type HostKeyPolicy =
  /** `source` says where the keys come from, for messages: `ssh-host-key`, `the instance's guest attributes`. */
  | { readonly kind: 'pinned'; readonly keys: readonly PinnedHostKey[]; readonly source: string }
  | { readonly kind: 'unverified' };

/** A host key as a server offers it. */
export interface OfferedHostKey {
  readonly type: string;
  readonly fingerprint: string;
}

const KEY_TYPE = /^(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp(256|384|521)|sk-\S+)$/;
const FINGERPRINT = /^SHA256:([A-Za-z0-9+/]{43})=?$/;
/** `256 SHA256:… COMMENT (ED25519)`: ssh-keygen(1), -l. The comment may hold anything. */
const LISTED = /^(\d{2,5}) SHA256:([A-Za-z0-9+/]{43})=?(?: .*)? \(([A-Z0-9-]+)\)$/;

/** Fingerprint of a public key in SSH wire format: `SHA256:…`, as ssh-keygen prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Type and fingerprint of a host key in SSH wire format (RFC 4253, section 6.6). */
export function offeredHostKey(blob: Buffer): OfferedHostKey {
  return { type: typeOf(blob) ?? 'unknown', fingerprint: fingerprintOf(blob) };
}

/** Whether the policy accepts the key. */
export function accepts(policy: HostKeyPolicy, offered: OfferedHostKey): boolean {
  if (policy.kind === 'unverified') return true;
  return policy.keys.some(
    (key) => key.fingerprint === offered.fingerprint && (key.type === null || key.type === offered.type),
  );
}

/**
 * Reads the entries of `ssh-host-key`: SHA256 fingerprints, whole lines of `ssh-keygen -lf`, public keys
 * (`ssh-ed25519 AAAA…`), or lines of a known_hosts file, plain or hashed, as ssh, ssh-keyscan and gcloud write them.
 * Lines for other hosts than `names` are left out.
 *
 * @param names the names and addresses that the instance goes by; `compute.ID` is the alias under which gcloud knows it
 * @throws ActionError `Invalid host key`
 */
export function parseHostKeys(
  entries: readonly string[],
  names: readonly string[],
  port: number,
): PinnedHostKey[] {
  const keys = entries.flatMap((entry) => parseEntry(entry.trim(), names, port) ?? []);
  if (keys.length === 0) {
    throw new ActionError('Invalid host key', {
      doing: 'reading the input ssh-host-key',
      happened: `none of its entries is for ${names.join(' or ')}`,
      next: 'Give a SHA256 fingerprint, a public key, or a known_hosts line for that host',
    });
  }
  return keys;
}

/**
 * Host keys as the guest agent publishes them: guest attributes below `hostkeys/`, the key type as name and the
 * key in base64 as value. What is not a host key is left out.
 *
 * https://cloud.google.com/compute/docs/connect/best-practices/ssh-login#host-keys
 */
export function hostKeysFromGuestAttributes(
  items: readonly { readonly key: string; readonly value: string }[],
): PinnedHostKey[] {
  return items.flatMap(({ key, value }) => keyFromBase64(key, value.trim()) ?? []);
}

function parseEntry(entry: string, names: readonly string[], port: number): PinnedHostKey | null {
  if (entry === '' || entry.startsWith('#')) return null;
  const fingerprint = FINGERPRINT.exec(entry);
  if (fingerprint !== null) return { type: null, fingerprint: `SHA256:${fingerprint[1]}` };
  const listed = LISTED.exec(entry);
  if (listed !== null) return { type: typeOfListed(listed), fingerprint: `SHA256:${listed[2]}` };
  if (/(^|\s)(MD5:)?([0-9a-f]{2}:){15}[0-9a-f]{2}(\s|$)/i.test(entry)) {
    throw invalidEntry(entry, 'it is an MD5 fingerprint, which proves too little');
  }

  const [first = '', second = '', third = ''] = entry.split(/\s+/);
  if (first.startsWith('@')) {
    throw invalidEntry(entry, 'it is a marked line (@cert-authority or @revoked), which is not supported');
  }
  const bare = KEY_TYPE.test(first);
  const key = bare ? keyFromBase64(first, second) : keyFromBase64(second, third);
  if (key === null) throw invalidEntry(entry, 'it is neither a SHA256 fingerprint nor a known_hosts line');
  return bare || hostMatches(first, names, port) ? key : null;
}

/** Null for a type that is not known here: the fingerprint alone decides then. */
function typeOfListed([, bits, , name]: RegExpExecArray): string | null {
  if (name === 'ED25519') return 'ssh-ed25519';
  if (name === 'RSA') return 'ssh-rsa';
  return name === 'ECDSA' && /^(256|384|521)$/.test(bits ?? '') ? `ecdsa-sha2-nistp${bits}` : null;
}

function invalidEntry(entry: string, happened: string): ActionError {
  return new ActionError('Invalid host key', {
    doing: `reading the input ssh-host-key, entry ${show(entry)}`,
    happened,
    next: 'Give a line as `ssh-keyscan` or a fingerprint as `ssh-keygen -lf` prints it',
  });
}

function keyFromBase64(type: string, base64: string): PinnedHostKey | null {
  if (!KEY_TYPE.test(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const blob = Buffer.from(base64, 'base64');
  return typeOf(blob) === type ? { type, fingerprint: fingerprintOf(blob) } : null;
}

function typeOf(blob: Buffer): string | null {
  if (blob.length < 4) return null;
  const length = blob.readUInt32BE(0);
  return length > 64 || blob.length < 4 + length ? null : blob.toString('latin1', 4, 4 + length);
}

/** The host field of a known_hosts line: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. */
function hostMatches(field: string, names: readonly string[], port: number): boolean {
  // gcloud looks its hosts up by an alias (HostKeyAlias), which takes no port.
  const wanted = names.map((name) =>
    port === 22 || name.startsWith('compute.') ? name : `[${name}]:${port}`,
  );
  if (field.startsWith('|1|')) return wanted.some((name) => hashMatches(field, name));
  const patterns = field.split(',');
  const matches = (pattern: string) => wanted.some((name) => globMatches(pattern, name));
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}

function hashMatches(field: string, name: string): boolean {
  const [, , salt = '', hash = ''] = field.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** Without a regular expression: many stars would make one try every way to divide the name among them. */
function globMatches(pattern: string, name: string): boolean {
  const [glob, text] = [pattern.toLowerCase(), name.toLowerCase()];
  let [at, star, taken] = [0, -1, 0];
  for (let position = 0; position < text.length; ) {
    if (glob[at] === '*') [star, taken, at] = [at, position, at + 1];
    else if (glob[at] === '?' || glob[at] === text[position]) [at, position] = [at + 1, position + 1];
    else if (star >= 0) [at, taken, position] = [star + 1, taken + 1, taken + 1];
    else return false;
  }
  return /^\**$/.test(glob.slice(at));
}
