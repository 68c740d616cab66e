import type { DockerPlace } from './docker-place';
import type { CredentialsHint } from './google-place';
import type { Journal } from './journal';

/** What every lease of a run is taken with. */
export interface LeaseTerms {
  readonly journal: Journal;
  /** Milliseconds; see lifetime.ts. */
  readonly lifetimeMs: number;
  readonly credentials: CredentialsHint;
  readonly docker: DockerPlace;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** When a lease that is taken now expires. */
export function expiryOf({ now, lifetimeMs }: LeaseTerms): Date {
  return new Date(now() + lifetimeMs);
}
