import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { utils } from 'ssh2';
import {
  addSshKey,
  dropExpiredKeys,
  generateEphemeralKey,
  refuseOsLogin,
  removeSshKey,
  sshKeysEntry,
} from '../../../src/ssh/keypair';

describe('generateEphemeralKey', () => {
  test('makes a key that ssh-keygen and ssh2 read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'keypair-'));
    try {
      const { privateKey, publicKey } = generateEphemeralKey();
      const file = join(directory, 'key');
      writeFileSync(file, privateKey, { mode: 0o600 });
      const derived = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).trim();
      expect(derived.split(' ').slice(0, 2).join(' ')).toBe(publicKey);
      expect(utils.parseKey(privateKey)).not.toBeInstanceOf(Error);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('makes another key each time', () => {
    expect(generateEphemeralKey().publicKey).not.toBe(generateEphemeralKey().publicKey);
  });
});

const now = new Date('2026-01-01T12:00:00Z');
const entry = sshKeysEntry('ci', 'ssh-ed25519 AAAAnew', new Date('2026-01-01T13:00:00.123Z'));
const expired = sshKeysEntry('ci', 'ssh-ed25519 AAAAold', new Date('2026-01-01T11:00:00Z'));
const parallel = sshKeysEntry('ci', 'ssh-ed25519 AAAArun', new Date('2026-01-01T12:30:00Z'));
const others = [
  'alice:ssh-rsa AAAA alice@laptop',
  'ci:ssh-ed25519 AAAA permanent',
  'bob:ssh-ed25519 AAAA google-ssh {"userName":"bob","expireOn":"2020-01-01T00:00:00+0000"}',
  'ci:ssh-ed25519 AAAA google-ssh {"userName":"ci","expireOn":"never"}',
  'ci:ssh-ed25519 AAAA google-ssh {broken}',
  '  strange  line ',
];

test('an entry has the form that the guest agent reads', () => {
  expect(entry).toBe(
    'ci:ssh-ed25519 AAAAnew google-ssh {"userName":"ci","expireOn":"2026-01-01T13:00:00+0000"}',
  );
});

describe('ssh-keys metadata', () => {
  test.each([
    ['nothing', null, entry],
    ['an empty value', '', `\n${entry}`],
    ['keys of others', others.join('\n'), [...others, entry].join('\n')],
    ['a newline at the end', `${others[0]}\n`, `${others[0]}\n${entry}\n`],
    ['blank lines', `\n\n${others[0]}\n\n`, `\n\n${others[0]}\n\n${entry}\n`],
    [
      'line ends of Windows',
      `${others[0]}\r\n${others[1]}\r\n`,
      `${others[0]}\r\n${others[1]}\r\n${entry}\n`,
    ],
    ['an expired key of ours', [expired, others[0]].join('\n'), `${others[0]}\n${entry}`],
    ['a key of a parallel run', parallel, `${parallel}\n${entry}`],
    ['the entry itself', entry, entry],
  ])('adds to %s', (_, value, expected) => {
    expect(addSshKey(value, entry, now)).toBe(expected);
  });

  test.each([
    ['the entry alone', entry, null],
    ['others and the entry', [...others, entry].join('\n'), others.join('\n')],
    ['an expired key as well', [expired, entry, parallel].join('\n'), parallel],
    ['nothing', null, null],
    ['others only', others.join('\n'), others.join('\n')],
  ])('removes from %s', (_, value, expected) => {
    expect(removeSshKey(value, entry, now)).toBe(expected);
  });

  test.each([
    ['nobody’s key has expired', [...others, parallel].join('\n'), [...others, parallel].join('\n')],
    [
      'an expired key among others',
      [expired, parallel, ...others].join('\n'),
      [parallel, ...others].join('\n'),
    ],
    ['an expired key alone', expired, null],
    ['blank lines, and nothing that has expired', `\n${parallel}\n\n`, `\n${parallel}\n\n`],
    ['nothing', null, null],
  ])('drops what has expired: %s', (_, value, expected) => {
    expect(dropExpiredKeys(value, entry.slice(0, entry.indexOf(':')), now)).toBe(expected);
  });

  test('what was added can be taken away, and the value is then as it was, byte for byte', () => {
    const part = fc.constantFrom('', '\n', '\r\n', ' ', 'alice:ssh-rsa AAAA a@b', 'x', '\t', ...others);
    fc.assert(
      fc.property(fc.option(fc.array(part).map((parts) => parts.join(''))), (value) => {
        expect(removeSshKey(addSshKey(value, entry, now), entry, now)).toBe(value);
      }),
    );
  });

  test('refuses to exceed the limit of a metadata value', () => {
    expect(() => addSshKey('x'.repeat(262_100), entry, now)).toThrow('Instance metadata is full');
  });
});

test.each([
  ['TRUE', true],
  ['true', true],
  ['FALSE', false],
  ['', false],
])('enable-oslogin=%s is refused: %s', (value, refused) => {
  const check = () => refuseOsLogin('vm', [{ key: 'enable-oslogin', value }]);
  if (refused) expect(check).toThrow('OS Login is enabled');
  else expect(check).not.toThrow();
});
