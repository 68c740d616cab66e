import type { ProcessMark } from '../job/process';
import type { ProvenLogin } from '../ssh/connection';

/** What the process of a tunnel is told, as the first line that it reads. Holds a secret. */
export interface TunnelOrder {
  readonly login: ProvenLogin;
  /** The port of the instance's loopback that it leads to. */
  readonly target: number;
  /** The process that lives as long as the job; null: none is known. */
  readonly job: ProcessMark | null;
  /** It ends after this in any case: the longest that the job can last. Milliseconds. */
  readonly lifetimeMs: number;
}

/** What it answers, as the one line that it writes. */
export type TunnelAnswer =
  /** It listens on this port of the runner's loopback. */
  | { readonly kind: 'ready'; readonly port: number; readonly process: ProcessMark }
  /** sshd does not let this login open connections. */
  | { readonly kind: 'prohibited' }
  | { readonly kind: 'failed'; readonly message: string };

/** The second and last line that it reads: it may go on by itself. Where none comes, it ends. */
export const GO = 'go';

/** The word behind the bundle's name that makes it the process of a tunnel; GitHub gives none. */
export const TUNNEL_WORD = 'tunnel';
