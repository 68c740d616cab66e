import { isBy, type Reach } from '../instance/reach';
import type { FrontReplacement } from '../instance/remote/front-replacement';
import { urlOf } from '../registry/endpoint';

/** How a registry was reached before a run, and is reached after it. */
export interface Movement {
  readonly before: Reach;
  readonly after: Reach & { readonly host: string };
  /** Of the instance. */
  readonly addresses: readonly string[];
  /** How the container of the front was replaced; null: it was not. */
  readonly front: FrontReplacement | null;
}

/** Something that others have to be told. References are `host:port`. */
export type Told =
  | { readonly kind: 'ssh-alone' }
  /** `old`: what who uses the old reference meets. */
  | { readonly kind: 'moved'; readonly from: string; readonly to: string; readonly old: Old }
  /** These led to it, and the certificate is not for them. */
  | { readonly kind: 'other-names'; readonly references: readonly string[]; readonly to: string }
  | { readonly kind: 'page-moved'; readonly from: string; readonly to: string; readonly old: Old | 'led on' }
  | { readonly kind: 'page-gone'; readonly from: string }
  /** It speaks TLS, and did not. */
  | { readonly kind: 'tls'; readonly references: readonly string[]; readonly isPublic: boolean }
  /** It speaks plain HTTP, and machines have no entry for it yet; `instead` of another one. */
  | {
      readonly kind: 'plain';
      readonly to: string;
      readonly instead: string | null;
      readonly endsTls: boolean;
    }
  /** PEM of what machines have to trust, empty where it is yet to be made; `isAnother`: than before. */
  | { readonly kind: 'trust'; readonly to: string; readonly authority: string; readonly isAnother: boolean }
  /** What machines were told to trust for this reference is of no use any more. */
  | { readonly kind: 'trust-ends'; readonly from: string }
  | { readonly kind: 'logins'; readonly to: string; readonly anonymousPull: boolean }
  | { readonly kind: 'logins-gone' }
  /** Logins that there were, and those of them that may only pull since. */
  | { readonly kind: 'access-taken'; readonly removed: number; readonly reduced: number }
  | { readonly kind: 'pull-closed'; readonly to: string };

type Old = 'closed' | 'refused' | 'answers';

/** Whom nobody else reaches it by. */
const OWN_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** What others have to be told where a registry is reached otherwise than before. Empty: nothing. */
export function toldOf(movement: Omit<Movement, 'front'>): readonly Told[] {
  const { before, after } = movement;
  if (after.loopback)
    return [...(before.loopback ? [] : [{ kind: 'ssh-alone' } as const]), ...logins(movement)];
  // Through SSH it has another address in each job: nobody else has one yet.
  if (before.loopback) return logins(movement);
  return [
    ...moved(movement),
    ...otherNames(movement),
    ...scheme(movement),
    ...page(movement),
    ...logins(movement),
  ];
}

type Moved = Omit<Movement, 'front'>;

function referencesOf({ before, after }: Moved): { readonly from: string; readonly to: string } {
  const from = reference(before.host ?? after.host, before.port);
  return { from, to: reference(after.host, after.port) };
}

function moved(movement: Moved): Told[] {
  const { before, after } = movement;
  const { from, to } = referencesOf(movement);
  if (from === to) return [];
  return [{ kind: 'moved', from, to, old: oldOf(movement, before.port, before.host ?? after.host) }];
}

function oldOf({ after }: Moved, port: number, host: string): Old {
  if (port !== after.port && port !== after.uiPort) return 'closed';
  return after.tls === 'none' || isFor(after.names, host) ? 'answers' : 'refused';
}

/** By what it could be called until now, and cannot any more. */
function otherNames(movement: Moved): Told[] {
  const { before, after, addresses } = movement;
  const { from, to } = referencesOf(movement);
  if (after.tls === 'none') return [];
  const names = before.tls === 'none' ? addresses : before.names.filter((name) => !OWN_NAMES.includes(name));
  const lost = names.filter((name) => !isFor(after.names, name)).map((name) => reference(name, before.port));
  const references = lost.filter((each) => each !== from);
  return references.length === 0 ? [] : [{ kind: 'other-names', references, to }];
}

function scheme(movement: Moved): Told[] {
  const { before, after } = movement;
  const { from, to } = referencesOf(movement);
  const isMoved = from !== to;
  if (after.tls === 'none') {
    const endsTls = before.tls !== 'none';
    if (!endsTls && !isMoved) return [];
    const entry: Told = { kind: 'plain', to, instead: endsTls ? null : from, endsTls };
    return before.authority === null ? [entry] : [entry, { kind: 'trust-ends', from }];
  }
  const isPublic = after.authority === null;
  const references = [...new Set([from, to])];
  return [
    ...(before.tls === 'none' ? [{ kind: 'tls', references, isPublic } as const] : []),
    ...trust(movement, { from, to, isMoved }),
  ];
}

function trust(
  { before, after: { authority } }: Moved,
  { from, to, isMoved }: { readonly from: string; readonly to: string; readonly isMoved: boolean },
): Told[] {
  if (authority === null) return before.authority === null ? [] : [{ kind: 'trust-ends', from }];
  const isSame = before.authority === authority || (before.chain !== null && isBy(authority, before.chain));
  if (isSame && !isMoved) return [];
  return [{ kind: 'trust', to, authority, isAnother: before.tls !== 'none' && !isSame }];
}

function page(movement: Moved): Told[] {
  const { before, after } = movement;
  if (before.uiPort === null) return [];
  const host = before.host ?? after.host;
  const from = pageUrl(before, host, before.uiPort);
  if (after.uiPort === null) return [{ kind: 'page-gone', from }];
  const to = pageUrl(after, after.host, after.uiPort);
  if (from === to) return [];
  const old = oldOf(movement, before.uiPort, host);
  if (old !== 'answers') return [{ kind: 'page-moved', from, to, old }];
  const [had, has] = [before.tls !== 'none', after.tls !== 'none'];
  return [{ kind: 'page-moved', from, to, old: had === has ? old : has ? 'led on' : 'refused' }];
}

function logins({ before, after }: Moved): Told[] {
  const to = reference(after.host, after.port);
  if (before.logins.length === 0) {
    return after.logins.length === 0 ? [] : [{ kind: 'logins', to, anonymousPull: after.anonymousPull }];
  }
  if (after.logins.length === 0) return [{ kind: 'logins-gone' }];
  const now = after.logins.map(nameOf);
  const removed = before.logins.filter((login) => !now.includes(nameOf(login))).length;
  const reduced = before.logins.filter(
    (login) => nameOf(login) === login && !after.logins.includes(login) && now.includes(login),
  ).length;
  const isClosed = before.anonymousPull && !after.anonymousPull;
  return [
    ...(removed + reduced === 0 ? [] : [{ kind: 'access-taken', removed, reduced } as const]),
    ...(isClosed ? [{ kind: 'pull-closed', to } as const] : []),
  ];
}

/** `bob (may only pull)` is bob. */
function nameOf(login: string): string {
  return login.replace(/ .*/, '');
}

function reference(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}

function pageUrl({ tls }: Reach, host: string, port: number): string {
  return urlOf({ scheme: tls === 'none' ? 'http' : 'https', host: bracketed(host), port });
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** A wildcard stands for one label: https://datatracker.ietf.org/doc/html/rfc6125#section-6.4.3 */
function isFor(names: readonly string[], host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return names.includes(bare) || names.includes(bare.replace(/^[^.]+/, '*'));
}
