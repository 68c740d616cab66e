import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCertificate, UnusableCertificate } from '../../../src/values/certificate';

// The certificates below are made after this is read.
const NOW = Date.now() + 60_000;
const DAY = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const text = (name: string) => readFileSync(join(folder, name), 'utf8');

/** Makes NAME.key and NAME.pem, signed by ISSUER, or by itself. */
function make(name: string, extensions: string, issuer = name): void {
  writeFileSync(join(folder, 'extensions'), extensions);
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', 'csr');
  const signed =
    issuer === name ? ['-key', `${name}.key`] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
  openssl(
    ...[
      'x509',
      '-req',
      '-in',
      'csr',
      '-days',
      '30',
      '-extfile',
      'extensions',
      ...signed,
      '-out',
      `${name}.pem`,
    ],
  );
}

const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n';
make('root', CA);
make('middle', CA, 'root');
make('leaf', 'subjectAltName=DNS:registry.example.com,DNS:*.lan.example.com,IP:192.0.2.7\n', 'middle');
make('other', 'subjectAltName=DNS:registry.example.com\n', 'middle');
make('nameless', 'basicConstraints=CA:FALSE\n', 'root');
make('alone', 'subjectAltName=DNS:registry.example.com\n');
const [leaf, middle, root, key] = ['leaf.pem', 'middle.pem', 'root.pem', 'leaf.key'].map(text) as [
  string,
  string,
  string,
  string,
];
const NAMES = ['registry.example.com', '192.0.2.7'];

test.each<[string, string]>([
  ['in order', leaf + middle + root],
  ['in another order', root + leaf + middle],
  ['with what it does not need, and with words between', `x\n${text('other.pem')}y\n${middle}${leaf}${root}`],
  ['with CRLF', (leaf + middle + root).replaceAll('\n', '\r\n')],
])('a chain %s is put into order, without its root', (_, pem) => {
  const { chain, expires } = readCertificate(pem, key, NAMES, NOW);
  expect(chain).toBe(leaf + middle);
  expect(expires).toBeGreaterThan(NOW + 29 * DAY);
});

test.each([
  ['SEC1', () => openssl('ec', '-in', 'leaf.key')],
  ['PKCS#8', () => openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'leaf.key')],
  ['with its parameters before it', () => openssl('ecparam', '-name', 'prime256v1') + key],
  ['with CRLF, and without the last newline', () => key.trimEnd().replaceAll('\n', '\r\n')],
])('a key in the form %s', (_, form) => {
  const given = readCertificate(leaf + middle + root, form(), [], NOW);
  expect(given.key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
});

test('a certificate that signs itself, and a name by a wildcard', () => {
  expect(readCertificate(text('alone.pem'), text('alone.key'), ['registry.example.com'], NOW).chain).toBe(
    text('alone.pem'),
  );
  readCertificate(leaf + middle + root, key, ['a.lan.example.com', 'REGISTRY.example.com'], NOW);
});

test.each<[string, string, string, readonly string[], number, RegExp]>([
  ['no PEM', 'hello', key, [], NOW, /no PEM block/],
  ['a broken one', leaf.replace(/\n.{20}/, '\n'), key, [], NOW, /number 1 cannot be read/],
  ['a key in place of it', key, key, [], NOW, /private key is among/],
  ['no key', leaf + middle + root, 'secret', [], NOW, /no PEM block `BEGIN PRIVATE KEY`/],
  ['a broken key', leaf + middle + root, key.replace(/\n.{20}/, '\n'), [], NOW, /the key cannot be read/],
  ['the key of another', leaf + middle + root, text('root.key'), [], NOW, /of a CA/],
  ['the key of nothing here', leaf + middle, text('other.key'), [], NOW, /of another certificate/],
  ['two keys', leaf + middle + root, key + key, [], NOW, /more than one key/],
  ['its CA missing', leaf, key, [], NOW, /incomplete: .*CN=middle/],
  ['the CA above missing', leaf + middle, key, [], NOW, /incomplete: .*CN=root/],
  ['expired', leaf + middle + root, key, [], NOW + 31 * DAY, /it expired at \d{4}-/],
  ['not yet valid', leaf + middle + root, key, [], NOW - DAY, /not valid before/],
  [
    'another name',
    leaf + middle + root,
    key,
    ['example.com'],
    NOW,
    /is for registry\.example\.com, .*not for example\.com/,
  ],
  ['another address', leaf + middle + root, key, ['192.0.2.8'], NOW, /not for 192\.0\.2\.8/],
  [
    'no name but its subject',
    text('nameless.pem') + root,
    text('nameless.key'),
    ['nameless'],
    NOW,
    /no name at all/,
  ],
  ['far too many', leaf.repeat(30), key, [], NOW, /more than 20/],
])('%s is refused', (_, pem, keyPem, names, now, says) => {
  expect(() => readCertificate(pem, keyPem, names, now)).toThrow(UnusableCertificate);
  expect(() => readCertificate(pem, keyPem, names, now)).toThrow(says);
});

test('a key with a passphrase is refused, and says nothing of it', () => {
  const pem = openssl('pkcs8', '-topk8', '-in', 'leaf.key', '-passout', 'pass:hunter2');
  expect(() => readCertificate(leaf + middle + root, pem, [], NOW)).toThrow(/^the key has a passphrase$/);
});
