import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';

/** A certificate that a server can show, with its key. */
export interface ServerCertificate {
  /** PEM: the server's own first, each other one the issuer of that before it, without a root. */
  readonly chain: string;
  /** PEM, PKCS#8. */
  readonly key: string;
  /** PEM of what who connects has to trust: a root that was given, or the certificate itself. Null: it is a public one. */
  readonly authority: string | null;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** Why a certificate or its key cannot be used: a clause without a full stop, with nothing of the key in it. */
export class UnusableCertificate extends Error {}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
/** More is no chain, and takes long to put in order. */
const MOST = 20;

/**
 * Reads a certificate that somebody gives: PEM, its chain in any order, with or without its root, its key in any usual
 * form (PKCS#8, PKCS#1, SEC1), and holds the parts against each other.
 *
 * @param names under which the registry is reached: host names and addresses
 * @param now milliseconds since 1970
 * @throws UnusableCertificate
 */
export function readCertificate(
  pem: string,
  keyPem: string,
  names: readonly string[],
  now: number,
): ServerCertificate {
  const certificates = parse(pem);
  const key = parseKey(keyPem);
  const leaf = certificates.find((each) => each.checkPrivateKey(key));
  if (leaf === undefined) throw new UnusableCertificate('the key is that of another certificate');
  if (leaf.ca) throw new UnusableCertificate('it is the certificate of a CA, and not of a server');
  const { chain, authority } = chainOf(leaf, certificates);
  const expires = checkDates(chain, now);
  for (const name of names) checkName(leaf, name);
  return {
    chain: chain.map((each) => each.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    authority: authority?.toString() ?? null,
    expires,
  };
}

function parse(pem: string): X509Certificate[] {
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.some(([, label]) => label?.endsWith('PRIVATE KEY')))
    throw new UnusableCertificate('a private key is among the certificates');
  const certificates = blocks.filter(([, label]) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE');
  if (certificates.length === 0) throw new UnusableCertificate('it holds no PEM block `BEGIN CERTIFICATE`');
  if (certificates.length > MOST) throw new UnusableCertificate(`it holds more than ${MOST} certificates`);
  return certificates.map(([block], index) => {
    try {
      return new X509Certificate(block.replaceAll('X509 CERTIFICATE', 'CERTIFICATE'));
    } catch {
      throw new UnusableCertificate(`its certificate number ${index + 1} cannot be read`);
    }
  });
}

function parseKey(pem: string): KeyObject {
  const blocks = [...pem.matchAll(BLOCK)].filter(([, label]) => label?.endsWith('PRIVATE KEY'));
  const [found] = blocks;
  if (found === undefined) throw new UnusableCertificate('the key is no PEM block `BEGIN PRIVATE KEY`');
  if (blocks.length > 1) throw new UnusableCertificate('there is more than one key');
  const [block, label] = found;
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: 4,ENCRYPTED/m.test(block))
    throw new UnusableCertificate('the key has a passphrase');
  try {
    return createPrivateKey(block);
  } catch {
    throw new UnusableCertificate('the key cannot be read');
  }
}

const isIssuer = (issuer: X509Certificate, of: X509Certificate): boolean =>
  of.checkIssued(issuer) && of.verify(issuer.publicKey);

interface Chain {
  readonly chain: readonly X509Certificate[];
  readonly authority: X509Certificate | null;
}

/** From the server's certificate up to what a client has itself: a public root, or the root that is given. */
function chainOf(leaf: X509Certificate, given: readonly X509Certificate[]): Chain {
  const chain = [leaf];
  for (let last = leaf; !isIssuer(last, last); ) {
    const next = given.find((each) => !chain.includes(each) && isIssuer(each, last));
    if (next === undefined) {
      if (hasPublicRoot(last)) return { chain, authority: null };
      const issuer = last.issuer.split('\n').at(-1) ?? '';
      throw new UnusableCertificate(
        `the chain is incomplete: the certificate of its issuer (${issuer}) is missing`,
      );
    }
    chain.push(next);
    last = next;
  }
  const [root = leaf] = chain.slice(-1);
  const authority = isPublicRoot(root) ? null : root;
  return { chain: chain.length === 1 ? chain : chain.slice(0, -1), authority };
}

function isPublicRoot({ fingerprint256 }: X509Certificate): boolean {
  return rootCertificates.some((pem) => new X509Certificate(pem).fingerprint256 === fingerprint256);
}

function hasPublicRoot(last: X509Certificate): boolean {
  return rootCertificates.some((pem) => isIssuer(new X509Certificate(pem), last));
}

/** When the first of them expires. */
function checkDates(chain: readonly X509Certificate[], now: number): number {
  const expires = Math.min(...chain.map((each) => each.validToDate.getTime()));
  if (expires <= now)
    throw new UnusableCertificate(`it expired at ${new Date(expires).toISOString().slice(0, 16)}Z`);
  const begins = Math.max(...chain.map((each) => each.validFromDate.getTime()));
  if (begins > now)
    throw new UnusableCertificate(`it is not valid before ${new Date(begins).toISOString().slice(0, 16)}Z`);
  return expires;
}

/**
 * Go's clients, Docker among them, look at the alternative names alone: https://pkg.go.dev/crypto/x509
 *
 * @param chain PEM, the server's certificate first
 * @throws UnusableCertificate
 */
export function checkCertificateName(chain: string, name: string): void {
  checkName(new X509Certificate(chain), name);
}

function checkName(leaf: X509Certificate, name: string): void {
  if (isFor(leaf, name)) return;
  const names = leaf.subjectAltName?.replaceAll(/DNS:|IP Address:/g, '') ?? 'no name at all';
  throw new UnusableCertificate(`it is for ${names}, and not for ${name}`);
}

/** Whether clients take a certificate for that of this host name or address. */
export function isFor(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  return certificate.checkHost(name, { subject: 'never' }) !== undefined;
}
