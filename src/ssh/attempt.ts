import type { AuthHandlerMiddleware, Client, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import { messageOf } from '../values/errors';
import { accepts, type HostKeyPolicy, type OfferedHostKey, offeredHostKey } from './host-keys';

/** One try at a connection: a new TCP connection, at most one. */
export interface AttemptOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  readonly policy: HostKeyPolicy;
  /** Host key algorithms to agree on. */
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
  /** For TCP and key exchange, and once more for the login. */
  readonly timeoutMs: number;
  /** When all tries have to come to their end, as far as that is known yet: milliseconds since 1970. */
  readonly endsAt: () => number;
  /**
   * Settles when the server ought to take the key. The connection is made meanwhile, and waits for it with its login;
   * a rejection ends the try at once, whatever the server does.
   */
  readonly admitted: Promise<unknown>;
  /** The pauses after which a key that was refused is offered again in the same connection. Milliseconds. */
  readonly offerAgainAfterMs: readonly number[];
}

export type AttemptResult =
  | { readonly kind: 'connected'; readonly client: Client; readonly hostKey: OfferedHostKey }
  /** The server has no host key of the algorithms asked for; the lists are those of both sides. */
  | { readonly kind: 'no-such-host-key'; readonly ours: string; readonly theirs: string }
  /** The policy does not accept the key; nothing was sent that depends on our key. */
  | { readonly kind: 'host-key-refused'; readonly offered: OfferedHostKey }
  | { readonly kind: 'login-refused' }
  /** The server takes no public key for this user, or not a key alone; `methods` are those that it names. */
  | { readonly kind: 'key-not-enough'; readonly methods: readonly string[] }
  /** The two sides have no algorithm in common. `what` is `key exchange algorithm`, `C->S cipher` and the like. */
  | {
      readonly kind: 'no-common-algorithm';
      readonly what: string;
      readonly ours: string;
      readonly theirs: string;
    }
  /** `admitted` was rejected. */
  | { readonly kind: 'not-admitted'; readonly cause: unknown }
  | { readonly kind: 'timeout'; readonly detail: string }
  /** This machine has no way there, or what answers is no SSH server: no waiting mends it. */
  | { readonly kind: 'hopeless'; readonly detail: string }
  /** Refused, reset, or ended early, as at boot. */
  | { readonly kind: 'no-connection'; readonly detail: string };

/**
 * Tries once to connect and to log in. Never throws for what a network, a server or an instance can do.
 *
 * The host key is verified during the key exchange, before authentication begins (RFC 4253, section 8).
 */
export function attemptConnection(options: AttemptOptions): Promise<AttemptResult> {
  // Loaded here, so that the run's first call of the API does not wait for it.
  const { Client } = require('ssh2') as typeof import('ssh2');
  return new Promise((resolve) => {
    const client: Client = new Client();
    let offered: OfferedHostKey | null = null;
    let refused = false;
    let settled = false;
    let timer: NodeJS.Timeout | undefined;
    const lists = new AlgorithmLists();
    const settle = (result: AttemptResult) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (result.kind !== 'connected') client.destroy();
      resolve(result);
    };
    const limit = (what: string) => {
      clearTimeout(timer);
      if (settled) return;
      const left = Math.max(LEAST_MS, options.endsAt() - Date.now());
      const ms = Math.round(Math.min(options.timeoutMs, left));
      const detail = `no ${what} within ${ms / 1000} s`;
      timer = setTimeout(() => settle({ kind: 'timeout', detail }), ms);
    };
    limit('key exchange');
    options.admitted.catch((cause: unknown) => settle({ kind: 'not-admitted', cause }));
    // Stays on for good: an error event without a listener would end the process.
    client.on('error', (error) => {
      if (refused && offered !== null) settle({ kind: 'host-key-refused', offered });
      else settle(classify(error, lists));
    });
    client.on('close', () => settle({ kind: 'no-connection', detail: 'the server closed the connection' }));
    client.on('ready', () => {
      // It was offered, and accepted, long before.
      if (offered !== null) settle({ kind: 'connected', client, hostKey: offered });
    });
    const verify = (blob: Buffer): boolean => {
      offered = offeredHostKey(blob);
      refused = !accepts(options.policy, offered);
      return !refused;
    };
    const authHandler: AuthHandlerMiddleware = offering(options, {
      waiting: () => clearTimeout(timer),
      offered: () => limit('login'),
      notEnough: (methods) => settle({ kind: 'key-not-enough', methods }),
    });
    const debug = (line: string) => lists.note(line);
    client.connect({ ...configOf(options), hostVerifier: verify, authHandler, debug });
    // Handshake and login are a dialogue of small packets, each of which would wait for the last one's acknowledgement.
    client.setNoDelay(true);
  });
}

/** What every step of a try gets, at the end of the time as well. */
const LEAST_MS = 1000;

/**
 * Offers the key once it ought to be taken, and again while it is refused: the guest agent writes it a moment after
 * the metadata has it. A connection that ends well costs none of sshd's patience (PerSourcePenalties), and its
 * MaxAuthTries, 6 by default, are not used up.
 */
function offering(
  { admitted, offerAgainAfterMs }: AttemptOptions,
  on: {
    waiting(): void;
    offered(): void;
    notEnough(methods: readonly string[]): void;
  },
): AuthHandlerMiddleware {
  const pauses = [...offerAgainAfterMs];
  let offers = 0;
  // By the library's types the methods are never null; before the first offer they are.
  return (methods: readonly string[] | null, partial, next) => {
    if (methods?.length && (partial === true || !methods.includes('publickey'))) {
      on.notEnough(methods);
      return;
    }
    const offer = () => {
      offers += 1;
      on.offered();
      next('publickey');
    };
    on.waiting();
    if (offers === 0) {
      // Its rejection ends the try elsewhere.
      admitted.then(offer, () => undefined);
      return;
    }
    const pause = pauses.shift();
    // By the library's documentation `false` ends the login; its types have forgotten it.
    if (pause === undefined) next(false as unknown as 'none');
    else setTimeout(offer, pause);
  };
}

function configOf(options: AttemptOptions): ConnectConfig {
  return {
    host: options.host,
    port: options.port,
    username: options.user,
    privateKey: options.privateKey,
    algorithms: { serverHostKey: [...options.algorithms] },
    readyTimeout: 0,
    keepaliveInterval: 10_000,
    keepaliveCountMax: 6,
  };
}

/** What each side can do, as the library tells while it negotiates (ssh2, lib/protocol/kex.js). */
class AlgorithmLists {
  private ours = '';
  private theirs = '';

  note(line: string): void {
    const [, side, list = ''] = /^Handshake: \((local|remote)\) [^:]+: (.*)$/.exec(line) ?? [];
    if (side === 'local') this.ours = list;
    if (side === 'remote') this.theirs = list;
  }

  /** The two lists that were compared last: those that had nothing in common. */
  get last(): { readonly ours: string; readonly theirs: string } {
    return { ours: this.ours, theirs: this.theirs };
  }
}

/** Errors of a connection that a later one would meet as well. */
const NO_WAY = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENOTFOUND', 'EACCES', 'EPERM']);

function classify(error: Error & { level?: string; code?: unknown }, lists: AlgorithmLists): AttemptResult {
  const detail = messageOf(error);
  // A server with a small MaxAuthTries ends the connection itself.
  if (error.level === 'client-authentication' || /too many authentication failures/i.test(detail))
    return { kind: 'login-refused' };
  // sshd's own words where AuthenticationMethods names only what is turned off (auth2.c).
  if (/no authentication methods enabled/i.test(detail)) {
    return { kind: 'key-not-enough', methods: ['none of those that AuthenticationMethods names is enabled'] };
  }
  if (/no matching host key format/i.test(detail)) return { kind: 'no-such-host-key', ...lists.last };
  const what = /no matching (.+)$/i.exec(detail)?.[1];
  if (what !== undefined) return { kind: 'no-common-algorithm', what, ...lists.last };
  if (/Invalid identification string|Max greeting lines|expected newline/.test(detail)) {
    return { kind: 'hopeless', detail: `what answers there is no SSH server (${detail})` };
  }
  if (error.level === 'client-timeout' || error.code === 'ETIMEDOUT' || error.code === 'EHOSTUNREACH') {
    return { kind: 'timeout', detail };
  }
  return { kind: NO_WAY.has(String(error.code)) ? 'hopeless' : 'no-connection', detail };
}
