import { X509Certificate } from 'node:crypto';
import { serverName } from '../../values/server-name';
import type { Facts } from '../facts/facts';
import type { AcmeAuthority } from '../stack/acme';
import { STACK_DIRECTORY } from '../stack/directory';
import { type InstanceStep, instanceStep } from './steps';

/** The CA of this instance, and the names that it may sign for, one a line. */
export const CA_FILE = `${STACK_DIRECTORY}/ca/ca.crt`;
export const CA_NAMES_FILE = `${STACK_DIRECTORY}/ca/names`;
/** What the front shows: its certificate, and those above it. */
export const SERVER_FILE = `${STACK_DIRECTORY}/front/tls/server.crt`;

/** How the front speaks TLS. */
export type Tls =
  | { readonly kind: 'none' }
  /** By a CA that is made on the instance, for these host names and addresses. */
  | { readonly kind: 'private-ca'; readonly names: ServerNames }
  /** By the front itself, which asks a certificate authority for it. */
  | ({ readonly kind: 'acme'; readonly names: ServerNames } & AcmeAuthority)
  /** By what somebody gives: PEM, checked; null: what is there stays. */
  | {
      readonly kind: 'certificate';
      readonly names: ServerNames;
      readonly given: { readonly chain: string; readonly key: string } | null;
    };

/** Under what the registry is reached: that of its references first. */
export type ServerNames = readonly [string, ...string[]];

/** A certificate is made anew when less than this part of its time is left. */
const RENEWED_AT = 1 / 3;

/**
 * The steps that give the front its certificate.
 *
 * @param now milliseconds since 1970
 */
export function certificateSteps(tls: Tls, facts: Facts, now: number): InstanceStep[] {
  switch (tls.kind) {
    case 'none':
      return [];
    case 'certificate':
      return tls.given === null ? [] : givenSteps(tls.given, facts);
    case 'acme':
      return programSteps(facts);
    case 'private-ca':
      return [...programSteps(facts), ...ownSteps(tls.names, facts, now)];
  }
}

/** Debian's ca-certificates brings it along; an engine of another origin may have come without. */
function programSteps(facts: Facts): InstanceStep[] {
  if (facts.packages.has('openssl')) return [];
  return [
    instanceStep(
      { kind: 'install-packages', packages: ['openssl'] },
      'packages openssl',
      null,
      'installed',
      'certificates are made or looked at with it',
    ),
  ];
}

function givenSteps(
  { chain, key }: { readonly chain: string; readonly key: string },
  facts: Facts,
): InstanceStep[] {
  const present = facts.texts.get(SERVER_FILE)?.trim();
  if (present === chain.trim()) return [];
  const from = present === undefined ? null : describe(firstCertificate(present));
  return [
    instanceStep(
      { kind: 'use-certificate', chain, key },
      'certificate of the front',
      from,
      describe(firstCertificate(chain)),
      'tls is certificate',
    ),
  ];
}

function ownSteps(names: ServerNames, facts: Facts, now: number): InstanceStep[] {
  const ca = firstCertificate(facts.texts.get(CA_FILE));
  const server = firstCertificate(facts.texts.get(SERVER_FILE));
  const authority = authorityFault(ca, names, facts, now);
  const certificate =
    authority !== null && server !== null ? 'its CA is another one' : serverFault(server, ca, names, now);
  return [
    ...(authority === null ? [] : [authorityStep(ca, names, authority)]),
    ...(certificate === null ? [] : [certificateStep(server, names, certificate)]),
  ];
}

function authorityStep(ca: X509Certificate | null, names: ServerNames, why: string): InstanceStep {
  return instanceStep(
    { kind: 'make-ca', names },
    'certificate authority of this instance',
    ca === null ? null : describe(ca),
    `for ${names.join(', ')}`,
    why,
  );
}

function certificateStep(server: X509Certificate | null, names: ServerNames, why: string): InstanceStep {
  return instanceStep(
    { kind: 'make-certificate', names },
    'certificate of the front',
    server === null ? null : describe(server),
    `for ${names.join(', ')}`,
    why,
  );
}

/** Why another CA is to be made: each who trusts this one has to trust that one then. Null: it stays. */
function authorityFault(
  ca: X509Certificate | null,
  names: readonly string[],
  facts: Facts,
  now: number,
): string | null {
  if (ca === null) return 'tls is private-ca';
  const before = (facts.texts.get(CA_NAMES_FILE) ?? '').split('\n').filter((line) => line !== '');
  const added = names.filter((name) => !before.includes(name));
  if (added.length > 0) return `the one that is there may not sign for ${added.join(', ')}`;
  return remaining(ca, now) < RENEWED_AT ? 'it expires soon' : null;
}

function serverFault(
  server: X509Certificate | null,
  ca: X509Certificate | null,
  names: readonly string[],
  now: number,
): string | null {
  if (server === null || ca === null) return 'the front shows none';
  if (!server.checkIssued(ca) || !server.verify(ca.publicKey)) return 'it is by somebody else';
  const shown = namesOf(server);
  const added = names.filter((name) => !shown.includes(name));
  if (added.length > 0) return `it is not for ${added.join(', ')}`;
  return remaining(server, now) < RENEWED_AT ? 'less than a third of its time is left' : null;
}

/** The part of its time that is left; negative after its end. */
export function remaining(certificate: X509Certificate, now: number): number {
  const [begin, end] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  return (end - now) / (end - begin);
}

/** The host names and addresses that a certificate is for. */
export function namesOf(certificate: X509Certificate): string[] {
  const found = [...(certificate.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s]+)/g)];
  return found.map(([, name]) => serverName(String(name)));
}

/** A certificate in a few words. */
export function describe(certificate: X509Certificate | null): string {
  if (certificate === null) return 'one that cannot be read';
  return `for ${namesOf(certificate).join(', ') || 'signing'}, until ${certificate.validToDate.toISOString().slice(0, 10)}`;
}

/** The first of the certificates in a text; null where there is none. */
export function firstCertificate(pem: string | undefined): X509Certificate | null {
  try {
    return pem === undefined ? null : new X509Certificate(pem);
  } catch {
    return null;
  }
}
