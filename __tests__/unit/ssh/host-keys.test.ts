import { createHmac } from 'node:crypto';
import {
  accepts,
  fingerprintOf,
  hostKeysFromGuestAttributes,
  offeredHostKey,
  parseHostKeys,
} from '../../../src/ssh/host-keys';
import { generateEphemeralKey } from '../../../src/ssh/keypair';

const { publicKey } = generateEphemeralKey();
const base64 = publicKey.split(' ')[1] ?? '';
const blob = Buffer.from(base64, 'base64');
const fingerprint = fingerprintOf(blob);
const key = { type: 'ssh-ed25519', fingerprint };
const hashed = (name: string) => {
  const salt = Buffer.alloc(20, 7);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

describe('parseHostKeys', () => {
  test.each([
    ['a fingerprint', fingerprint, 22, { type: null, fingerprint }],
    ['a padded fingerprint', `${fingerprint}=`, 22, { type: null, fingerprint }],
    ['a public key', publicKey, 22, key],
    ['a public key with a comment', `${publicKey} root@vm`, 22, key],
    ['a known_hosts line', `203.0.113.5 ${publicKey}`, 22, key],
    ['one of several names', `vm,203.0.113.5 ${publicKey}`, 22, key],
    ['a pattern', `203.0.113.* ${publicKey}`, 22, key],
    ['another port', `[203.0.113.5]:2222 ${publicKey}`, 2222, key],
    ['a hashed name', `${hashed('203.0.113.5')} ${publicKey}`, 22, key],
    ['a line of ssh-keygen -lf', `256 ${fingerprint} root@vm (ED25519)`, 22, key],
    ['one with blanks in its comment', `256 ${fingerprint} made by (me) at 9 (ED25519)`, 22, key],
    ['one without a comment', `256 ${fingerprint} no comment (ED25519)`, 22, key],
    ['one of RSA', `3072 ${fingerprint} root@vm (RSA)`, 22, { type: 'ssh-rsa', fingerprint }],
    ['one of ECDSA', `521 ${fingerprint} vm (ECDSA)`, 22, { type: 'ecdsa-sha2-nistp521', fingerprint }],
    ['one of another type', `256 ${fingerprint} vm (ED25519-SK)`, 22, { type: null, fingerprint }],
    ['a line as gcloud writes it', `compute.1234567890 ${publicKey}`, 22, key],
    ['the same for another port', `compute.1234567890 ${publicKey}`, 2222, key],
    ['a line with CRLF', `203.0.113.5 ${publicKey}\r`, 22, key],
    ['a line with a comment', `203.0.113.5 ${publicKey} root@vm, by hand`, 22, key],
    ['a hashed name with a port', `${hashed('[203.0.113.5]:2222')} ${publicKey}`, 2222, key],
  ])('takes %s', (_, entry, port, expected) => {
    expect(parseHostKeys([entry], ['203.0.113.5', 'compute.1234567890'], port)).toEqual([expected]);
  });

  test('leaves out lines for other hosts, comments and blank lines', () => {
    const entries = ['# 203.0.113.5:22 SSH-2.0-OpenSSH_10.0', '', `other ${publicKey}`, publicKey];
    expect(parseHostKeys(entries, ['203.0.113.5'], 22)).toEqual([key]);
  });

  test.each([
    ['another host', `other ${publicKey}`],
    ['the plain name on another port', `[203.0.113.5]:2222 ${publicKey}`],
    ['a negated name', `!203.0.113.5,203.0.113.* ${publicKey}`],
    ['another hashed name', `${hashed('other')} ${publicKey}`],
    ['a certificate authority', `@cert-authority * ${publicKey}`],
    ['a key of another type than it says', `203.0.113.5 ssh-rsa ${base64}`],
    ['a truncated key', '203.0.113.5 ssh-ed25519 AAAAC3Nz'],
    ['prose', 'trust me'],
    ["another instance's alias", `compute.99 ${publicKey}`],
    [
      'an MD5 fingerprint in a line of ssh-keygen',
      '256 MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48 vm (RSA)',
    ],
    ['an MD5 fingerprint', 'MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48'],
    ['nothing', ''],
  ])('refuses %s', (_, entry) => {
    expect(() => parseHostKeys([entry], ['203.0.113.5'], 22)).toThrow('Invalid host key');
  });
});

test('guest attributes become pinned keys; what is no key is left out', () => {
  const items = [
    { key: 'ssh-ed25519', value: `${base64}\n` },
    { key: 'ssh-rsa', value: base64 },
    { key: 'ssh-ed25519', value: '<script>' },
    { key: 'note', value: 'x' },
  ];
  expect(hostKeysFromGuestAttributes(items)).toEqual([key]);
});

test('a policy accepts its own keys alone', () => {
  const offered = offeredHostKey(blob);
  expect(offered).toEqual(key);
  const pinned = (keys: { type: string | null; fingerprint: string }[]) =>
    ({ kind: 'pinned', keys, source: 'ssh-host-key' }) as const;
  expect(accepts(pinned([key]), offered)).toBe(true);
  expect(accepts(pinned([{ type: null, fingerprint }]), offered)).toBe(true);
  expect(accepts(pinned([{ type: 'ssh-rsa', fingerprint }]), offered)).toBe(false);
  expect(accepts(pinned([{ type: 'ssh-ed25519', fingerprint: `SHA256:${'A'.repeat(43)}` }]), offered)).toBe(
    false,
  );
  expect(accepts(pinned([]), offered)).toBe(false);
  expect(accepts({ kind: 'unverified' }, offered)).toBe(true);
});
