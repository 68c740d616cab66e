import { randomBytes } from 'node:crypto';

/** Who a token stands for. */
export interface Principal {
  readonly email: string;
  /** Null: every permission. */
  readonly permissions: ReadonlySet<string> | null;
}

/** Seconds that Google's access tokens live. */
export const TOKEN_SECONDS = 3599;

/** The access tokens that the lab has given out. */
export class Tokens {
  private readonly byToken = new Map<string, { principal: Principal; expires: number }>();

  /** A new token of Google's shape, good for `seconds`. */
  issue(principal: Principal, seconds: number = TOKEN_SECONDS): string {
    const token = `ya29.c.${randomBytes(96).toString('base64url')}`;
    this.byToken.set(token, { principal, expires: Date.now() + seconds * 1000 });
    return token;
  }

  /** All tokens, those that have expired too. */
  issued(): string[] {
    return [...this.byToken.keys()];
  }

  /** Null for a token that is unknown or has expired. */
  lookUp(token: string): Principal | null {
    const entry = this.byToken.get(token);
    return entry !== undefined && entry.expires > Date.now() ? entry.principal : null;
  }

  revoke(token: string): void {
    this.byToken.delete(token);
  }
}

export const has = (principal: Principal, permission: string): boolean =>
  principal.permissions === null || principal.permissions.has(permission);
