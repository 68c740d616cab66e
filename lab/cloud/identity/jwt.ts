import { createSign, createVerify, type KeyObject } from 'node:crypto';

/** A JWT that has been taken apart, not checked. */
export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: Buffer;
}

/** Null for what is no JWT. */
export function parseJwt(token: string): Jwt | null {
  const [header, claims, signature, ...rest] = token.split('.');
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) return null;
  try {
    return {
      header: decode(header),
      claims: decode(claims),
      signed: `${header}.${claims}`,
      signature: Buffer.from(signature, 'base64url'),
    };
  } catch {
    return null;
  }
}

/** Whether this key signed it, with RS256. */
export function isSignedBy(jwt: Jwt, key: KeyObject): boolean {
  return (
    jwt.header.alg === 'RS256' && createVerify('RSA-SHA256').update(jwt.signed).verify(key, jwt.signature)
  );
}

export function signJwt(claims: object, key: KeyObject, kid: string): string {
  const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid })}.${encode(claims)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')}`;
}

const SKEW_SECONDS = 300;

/** Whether `iat` and `exp` admit the present; seconds. Nothing that lives longer than an hour is admitted. */
export function isTimely(jwt: Jwt, now: number = Date.now() / 1000): boolean {
  const { iat, exp } = jwt.claims;
  if (typeof iat !== 'number' || typeof exp !== 'number') return false;
  return iat <= now + SKEW_SECONDS && exp > now - SKEW_SECONDS && exp - iat <= 3600 && exp > iat;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(part: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
}
