import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utils } from 'ssh2';
import { generateEphemeralKey } from '../../../src/ssh/keypair';
import { usablePrivateKey } from '../../../src/ssh/private-key';

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const openSsh = generateEphemeralKey().privateKey;

/** The public key that ssh2 sees in a private key, in SSH wire format. */
function publicOf(privateKey: string): string {
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return (Array.isArray(parsed) ? parsed[0] : parsed).getPublicSSH().toString('base64');
}

const pem = String(ed25519.export(pkcs8));

test.each([
  ['PKCS#8 of ed25519', pem],
  ['PKCS#8 of RSA', String(rsa.export(pkcs8))],
  ['PKCS#8 of ECDSA', String(ec.export(pkcs8))],
  ['PKCS#1', String(rsa.export({ type: 'pkcs1', format: 'pem' }))],
  ['SEC1', String(ec.export({ type: 'sec1', format: 'pem' }))],
  ['OpenSSH', openSsh],
  ['a file with line ends of Windows', pem.replaceAll('\n', '\r\n')],
  ['OpenSSH with line ends of Windows', openSsh.replaceAll('\n', '\r\n')],
  ['a file without its last newline', pem.trimEnd()],
  ['OpenSSH without its last newline', openSsh.trimEnd()],
  ['indented lines', openSsh.replace(/^/gm, '    ')],
  ['blank lines around it', `\n\n${openSsh}\n\n`],
  ['a byte order mark', `\ufeff${openSsh}`],
  ['newlines written as two characters', openSsh.trim().replaceAll('\n', '\\n')],
])('%s is read', (_case, text) => {
  expect(publicOf(usablePrivateKey(text))).not.toBe('');
});

test('a key that openssl makes is the key that ssh-keygen sees', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pkcs8-'));
  try {
    const file = join(folder, 'key');
    execFileSync(
      'openssl',
      ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', file],
      {
        stdio: 'ignore',
      },
    );
    execFileSync('chmod', ['600', file]);
    const seen = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).split(' ')[1]?.trim();
    expect(publicOf(usablePrivateKey(readFileSync(file, 'utf8')))).toBe(seen);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const encrypted = { ...pkcs8, cipher: 'aes-256-cbc', passphrase: 'x' };

test.each([
  ['an encrypted PKCS#8 key', String(ed25519.export(encrypted)), 'passphrase'],
  ['an encrypted PKCS#1 key', String(rsa.export({ ...encrypted, type: 'pkcs1' })), 'passphrase'],
  ['a key that was cut off', `${pem.slice(0, 60)}\n`, 'not a whole private key'],
  ['a cut-off body', pem.replace(/\n.{20}/, '\n'), 'not a whole private key'],
  ['a public key', generateEphemeralKey().publicKey, 'not a private key'],
  [
    'a key of a type that SSH does not know',
    String(generateKeyPairSync('x25519').privateKey.export(pkcs8)),
    'x25519',
  ],
  ['nothing', '', 'not a private key'],
])('%s is refused, and nothing of it is shown', (_case, text, why) => {
  const refuse = () => usablePrivateKey(text);
  expect(refuse).toThrow('Invalid SSH private key');
  expect(refuse).toThrow(why);
  const body = text.split('\n')[1] ?? '';
  if (body.length > 8) expect(refuse).not.toThrow(body.slice(0, 8));
});
