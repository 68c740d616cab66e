import { createPrivateKey, type KeyObject } from 'node:crypto';
import { ActionError } from '../values/errors';
import { openSshForm } from './keypair';

/**
 * A private key as people paste it, in a form that ssh2 reads. PKCS#8 (`BEGIN PRIVATE KEY`), which Terraform and openssl
 * write, becomes PKCS#1, SEC1 or OpenSSH; line ends, indentation, a missing last newline, and newlines written as `\\n`
 * are put right.
 *
 * @throws ActionError `Invalid SSH private key`, which shows nothing of it
 */
export function usablePrivateKey(text: string): string {
  const pem = tidy(text);
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----$|^Proc-Type: 4,ENCRYPTED$/m.test(pem)) {
    throw invalid('it is encrypted with a passphrase');
  }
  const usable = /^-----BEGIN PRIVATE KEY-----$/m.test(pem) ? fromPkcs8(pem) : pem;
  const { utils } = require('ssh2') as typeof import('ssh2');
  const parsed = utils.parseKey(usable);
  const keys = Array.isArray(parsed) ? parsed : [parsed];
  if (keys.every((key) => !(key instanceof Error) && key.isPrivateKey())) return usable;
  throw invalid(
    parsed instanceof Error && /encrypted/i.test(parsed.message)
      ? 'it is encrypted with a passphrase'
      : 'it is not a private key in OpenSSH, PEM or PKCS#8 format',
  );
}

function tidy(text: string): string {
  // A value from JSON, or from a shell variable, can carry its newlines as two characters.
  const unfolded = text.includes('\n') || !text.includes('\\n') ? text : text.replaceAll('\\n', '\n');
  const lines = unfolded.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  return `${lines
    .map((line) => line.trim())
    .join('\n')
    .trim()}\n`;
}

function fromPkcs8(pem: string): string {
  const key = parsePkcs8(pem);
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return openSshForm(key).privateKey;
    case 'rsa':
      return String(key.export({ type: 'pkcs1', format: 'pem' }));
    case 'ec':
      return String(key.export({ type: 'sec1', format: 'pem' }));
    default:
      throw invalid(`SSH knows no keys of its type (${key.asymmetricKeyType ?? 'unknown'})`);
  }
}

function parsePkcs8(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw invalid('it is not a whole private key in PKCS#8 format');
  }
}

function invalid(happened: string): ActionError {
  return new ActionError('Invalid SSH private key', {
    doing: 'reading the input ssh-private-key',
    happened,
    next: 'Give the whole file with its BEGIN and END lines, without a passphrase, from a secret; `ssh-keygen -t ed25519 -N ""` makes one',
  });
}
