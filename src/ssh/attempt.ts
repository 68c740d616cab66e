import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import { messageOf } from '../errors';
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
  /** For TCP, key exchange and login together. */
  readonly timeoutMs: number;
}

export type AttemptResult =
  | { readonly kind: 'connected'; readonly client: Client }
  /** The server has no host key of the algorithms asked for. */
  | { readonly kind: 'no-such-host-key' }
  /** The policy does not accept the key; nothing was sent that depends on our key. */
  | { readonly kind: 'host-key-refused'; readonly offered: OfferedHostKey }
  | { readonly kind: 'login-refused' }
  | { readonly kind: 'timeout'; readonly detail: string }
  /** Refused, reset, unreachable, or not an SSH server. */
  | { readonly kind: 'no-connection'; readonly detail: string };

/**
 * Tries once to connect and to log in. Never throws for what a network, a server or an instance can do.
 *
 * The host key is verified during the key exchange, before authentication begins (RFC 4253, section 8).
 */
export function attemptConnection(options: AttemptOptions): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const client = new Client();
    let offered: OfferedHostKey | null = null;
    let refused = false;
    let settled = false;
    const settle = (result: AttemptResult) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (result.kind !== 'connected') client.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () => settle({ kind: 'timeout', detail: `no login within ${options.timeoutMs / 1000} s` }),
      options.timeoutMs,
    );
    // Stays on for good: an error event without a listener would end the process.
    client.on('error', (error) => {
      if (refused && offered !== null) settle({ kind: 'host-key-refused', offered });
      else settle(classify(error));
    });
    client.on('close', () => settle({ kind: 'no-connection', detail: 'the server closed the connection' }));
    client.on('ready', () => settle({ kind: 'connected', client }));
    const verify = (blob: Buffer): boolean => {
      offered = offeredHostKey(blob);
      refused = !accepts(options.policy, offered);
      return !refused;
    };
    client.connect(configOf(options, verify));
  });
}

function configOf(options: AttemptOptions, hostVerifier: (blob: Buffer) => boolean): ConnectConfig {
  return {
    host: options.host,
    port: options.port,
    username: options.user,
    privateKey: options.privateKey,
    authHandler: ['publickey'],
    hostVerifier,
    algorithms: { serverHostKey: [...options.algorithms] },
    readyTimeout: 0,
    keepaliveInterval: 10_000,
    keepaliveCountMax: 6,
  };
}

function classify(error: Error & { level?: string; code?: unknown }): AttemptResult {
  const detail = messageOf(error);
  if (error.level === 'client-authentication') return { kind: 'login-refused' };
  if (/no matching host key format/i.test(detail)) return { kind: 'no-such-host-key' };
  if (error.level === 'client-timeout' || error.code === 'ETIMEDOUT' || error.code === 'EHOSTUNREACH') {
    return { kind: 'timeout', detail };
  }
  return { kind: 'no-connection', detail };
}
