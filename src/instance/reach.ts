import { serverName } from '../values/server-name';
import type { Facts } from './facts/facts';
import { CA_FILE, firstCertificate, namesOf, SERVER_FILE, type Tls } from './plan/certificate-plan';
import { ourContainer } from './plan/containers';
import type { InstanceStep } from './plan/steps';
import { acmeCertificateFile } from './stack/acme';
import { FRONT_FILE } from './stack/front';
import { type FrontTold, frontTold } from './stack/front-told';

/** How a registry is reached: what others have to be told of it. */
export interface Reach {
  readonly tls: Tls['kind'];
  /** Of its references, as the front knows it; null: with plain HTTP any name does that leads to the instance. */
  readonly host: string | null;
  readonly port: number;
  /** Null: there is no page. */
  readonly uiPort: number | null;
  /** What its certificate is for; empty with plain HTTP. */
  readonly names: readonly string[];
  /** PEM: its certificate, and those above it; null: there is none, or it is not known. */
  readonly chain: string | null;
  /** PEM of what machines have to trust for it; empty: it is yet to be made; null: nothing that is known of. */
  readonly authority: string | null;
  /** Nothing but SSH leads to it. */
  readonly loopback: boolean;
  /** `ann`, `bob (may only pull)`; empty: it takes no login. */
  readonly logins: readonly string[];
  /** Pulling takes none of them. */
  readonly anonymousPull: boolean;
}

/** How the registry of an instance is reached, as it was read; null: there is none. */
export function reachOf(facts: Facts): Reach | null {
  const told = frontTold(facts.texts.get(FRONT_FILE) ?? '');
  if (told === null) return null;
  const asked = ourContainer(facts, 'front')?.asked ?? [];
  const chain = chainOf(told, facts);
  const certificate = firstCertificate(chain ?? undefined);
  const authority = told.acmeDirectory === null && chain !== null ? ownAuthority(chain, facts) : null;
  return {
    tls: kindOf(told, authority),
    host: told.serverName,
    port: told.port,
    uiPort: told.uiPort,
    names: certificate === null ? [] : namesOf(certificate).filter((name) => /^[\w.*:-]+$/.test(name)),
    chain,
    authority,
    loopback: asked.length > 0 && asked.every(({ address }) => address === '127.0.0.1'),
    logins: facts.users.present,
    anonymousPull: told.logins?.anonymousPull ?? false,
  };
}

/** How it would be reached after a plan that is not carried out. */
export function plannedReach(facts: Facts, steps: readonly InstanceStep[], tls: Tls): Reach | null {
  const texts = new Map(facts.texts);
  const actions = steps.map(({ action }) => action);
  for (const action of actions) {
    if (action.kind === 'configure-front') texts.set(FRONT_FILE, action.content);
    if (action.kind === 'use-certificate') texts.set(SERVER_FILE, action.chain);
  }
  const users = { ...facts.users, present: facts.users.wanted };
  const planned = reachOf({ ...facts, texts, users });
  if (planned === null || tls.kind === 'none') return planned;
  const isMade = actions.some(({ kind }) => kind === 'make-ca');
  const authority = tls.kind === 'private-ca' ? (isMade ? '' : (facts.texts.get(CA_FILE) ?? '')) : null;
  const names = tls.kind === 'certificate' ? planned.names : tls.names.map(serverName);
  return { ...planned, tls: tls.kind, authority, names };
}

function kindOf({ serverName, acmeDirectory }: FrontTold, authority: string | null): Tls['kind'] {
  if (serverName === null) return 'none';
  if (acmeDirectory !== null) return 'acme';
  return authority === null ? 'certificate' : 'private-ca';
}

/** What the front shows. Files that are left from another time are not it. */
function chainOf({ serverName: name, acmeDirectory: directory }: FrontTold, { texts }: Facts): string | null {
  if (name === null) return null;
  const file = directory === null ? SERVER_FILE : acmeCertificateFile({ directory }, name);
  return texts.get(file) ?? null;
}

/** The CA of the instance, where the certificate is by it. */
function ownAuthority(chain: string, { texts }: Facts): string | null {
  const text = texts.get(CA_FILE);
  return text !== undefined && isBy(text, chain) ? text : null;
}

/** Whether whoever trusts an authority also trusts what a front shows: it has signed the last of these certificates. */
export function isBy(authority: string, chain: string): boolean {
  const blocks = chain.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const [ca, last] = [firstCertificate(authority), firstCertificate(blocks.at(-1))];
  return ca !== null && last?.checkIssued(ca) === true && last.verify(ca.publicKey);
}
