import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayOf, LABS } from '../number.ts';
import { NAMES } from './names.ts';

/** Paths of PEM files. */
export interface Certificates {
  readonly caFile: string;
  /** What the machines trust as they trust the roots of Let's Encrypt. */
  readonly rootFile: string;
  readonly rootKeyFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** One certificate serves all labs. */
const ADDRESSES = ['127.0.0.1', ...LABS.map(gatewayOf)];
const CA_DAYS = 3650;
const LEAF_DAYS = 397;
const RENEW_BEFORE_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Makes the lab's CA and one leaf certificate for all its names in `dir`, or keeps those that are there and still
 * fit. The CA stays when only the names change, so that machines that trust it go on doing so.
 *
 * Throws when openssl is missing or fails.
 */
export function ensureCertificates(dir: string): Certificates {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const files = {
    caFile: join(dir, 'ca.pem'),
    rootFile: join(dir, 'acme-root.pem'),
    rootKeyFile: join(dir, 'acme-root.key'),
    certFile: join(dir, 'leaf.pem'),
    keyFile: join(dir, 'leaf.key'),
  };
  const caKeyFile = join(dir, 'ca.key');
  if (!(existsSync(caKeyFile) && isValid(files.caFile))) {
    makeCa(files.caFile, caKeyFile, 'gce-registry-action lab CA', ',pathlen:0');
    rmSync(files.certFile, { force: true });
  }
  if (!(existsSync(files.rootKeyFile) && isValid(files.rootFile))) {
    makeCa(files.rootFile, files.rootKeyFile, 'gce-registry-action lab ACME root', '');
  }
  if (!(existsSync(files.keyFile) && isValid(files.certFile) && coversNames(files.certFile))) {
    makeLeaf(dir, files, caKeyFile);
  }
  return files;
}

function makeCa(caFile: string, caKeyFile: string, name: string, depth: string): void {
  openssl([
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', caKeyFile, '-out', `${caFile}.new`, '-days', String(CA_DAYS)],
    ...['-subj', `/O=gce-registry-action lab/CN=${name}`],
    ...['-addext', `basicConstraints=critical,CA:TRUE${depth}`],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  renameSync(`${caFile}.new`, caFile);
}

function makeLeaf(dir: string, files: Certificates, caKeyFile: string): void {
  const requestFile = join(dir, 'leaf.csr');
  const extensionsFile = join(dir, 'leaf.ext');
  writeFileSync(
    extensionsFile,
    [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=serverAuth',
      `subjectAltName=${[...NAMES.map((name) => `DNS:${name}`), ...ADDRESSES.map((address) => `IP:${address}`)].join(',')}`,
      '',
    ].join('\n'),
  );
  openssl([
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', `${files.keyFile}.new`, '-out', requestFile, '-subj', '/O=gce-registry-action lab/CN=lab'],
  ]);
  openssl([
    ...['x509', '-req', '-in', requestFile, '-CA', files.caFile, '-CAkey', caKeyFile, '-CAcreateserial'],
    ...['-out', `${files.certFile}.new`, '-days', String(LEAF_DAYS), '-extfile', extensionsFile],
  ]);
  // Both at once, as near as may be: another lab may read them.
  renameSync(`${files.keyFile}.new`, files.keyFile);
  renameSync(`${files.certFile}.new`, files.certFile);
}

function isValid(file: string): boolean {
  if (!existsSync(file)) return false;
  const certificate = new X509Certificate(readFileSync(file));
  return Date.parse(certificate.validTo) - Date.now() > RENEW_BEFORE_MS;
}

function coversNames(file: string): boolean {
  const certificate = new X509Certificate(readFileSync(file));
  return (
    NAMES.every((name) => certificate.checkHost(name) !== undefined) &&
    ADDRESSES.every((address) => certificate.checkIP(address) !== undefined)
  );
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
