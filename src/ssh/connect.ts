import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ServerHostKeyAlgorithm } from 'ssh2';
import type { Log } from '../job/log';
import type { ActionError } from '../values/errors';
import { type AttemptOptions, type AttemptResult, attemptConnection } from './attempt';
import {
  keyNotEnough,
  loginRefused,
  noCommonAlgorithm,
  noConnection,
  notAccepted,
  SshTimedOut,
} from './connect-errors';
import type { SshConnection } from './connection';
import type { HostKeyPolicy, OfferedHostKey } from './host-keys';
import { usablePrivateKey } from './private-key';
import { runCommand } from './remote-command';

export interface ConnectOptions {
  /** Address or name of the instance. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** As `usablePrivateKey` takes it. */
  readonly privateKey: string;
  readonly policy: HostKeyPolicy;
  /** How long to wait for a server that refuses connections or does not answer, as at boot. Default 90 s. */
  readonly reachWithinMs?: number;
  /** How long to wait for the guest agent to take a fresh key. 0: the first refusal is final. Default 90 s. */
  readonly loginWithinMs?: number;
  /**
   * Settles when the server ought to take the key, as far as the caller knows; connecting goes on meanwhile, and the
   * limits count from then. Rejected, it ends the login at once with its error, whatever the server does.
   */
  readonly admitted?: Promise<unknown>;
  /** Limit of one try. Default 15 s. */
  readonly attemptTimeoutMs?: number;
}

/**
 * Connects and logs in. The server's host key is verified before anything about our key is sent. Each try is a TCP
 * connection of its own, so an instance that is ready sees exactly one.
 *
 * @throws ActionError `Unknown host key`, `Wrong host key`, `SSH login refused`, `SSH timed out` (as SshTimedOut),
 *   `No SSH connection`, `No common SSH algorithm`, `SSH key is not enough`, `Invalid SSH private key`, and what `admitted` was rejected with
 */
export async function connect(given: ConnectOptions, log: Log): Promise<SshConnection> {
  const options = { ...given, privateKey: usablePrivateKey(given.privateKey) };
  if (options.policy.kind === 'unverified') {
    log.warning(
      `The host key of ${options.host} is not verified (ssh-host-key: unverified): anyone between this runner and the instance can read and change everything that is sent`,
    );
  }
  let session = await openSession(options, log);
  let closed = false;
  const { host, port, user, privateKey } = options;
  return {
    login: { host, port, user, privateKey, hostKey: session.hostKey },
    async run(command, runOptions) {
      if (session.ended && !closed) session = await openSession(options, log);
      if (closed) {
        session.client.end();
        throw new Error('The SSH connection was closed');
      }
      return runCommand(session.client, options.host, command, runOptions);
    },
    close() {
      closed = true;
      session.client.end();
    },
  };
}

/** A login, and whether it has come to its end. */
async function openSession(options: ConnectOptions, log: Log) {
  const session = { ...(await login(options, log)), ended: false };
  const end = () => {
    session.ended = true;
  };
  session.client.once('error', end).once('close', end);
  return session;
}

const LIMIT_MS = 90_000;
/** A key that the guest agent is about to write is there some 50 ms after the metadata has it. */
const OFFER_AGAIN_MS: readonly number[] = [20, 50, 150, 500, 1500];

/** A client that is logged in, and the key that the server has shown. */
export interface LoggedIn {
  readonly client: Client;
  readonly hostKey: OfferedHostKey;
}

/**
 * Logs in, and waits for a server that is not ready.
 *
 * @param options.privateKey as `usablePrivateKey` returns it
 * @throws ActionError those of `connect`
 */
export async function login(
  { admitted: admission, ...options }: ConnectOptions,
  log: Log,
): Promise<LoggedIn> {
  const attemptTimeoutMs = options.attemptTimeoutMs ?? 15_000;
  const clock = new AdmissionClock(admission);
  const longest = Math.max(options.reachWithinMs ?? LIMIT_MS, options.loginWithinMs ?? LIMIT_MS);
  const endsAt = () => (clock.isAdmitted ? clock.started + longest : Number.POSITIVE_INFINITY);
  const where = `${options.host}:${options.port}`;

  for (let tries = 1; ; tries++) {
    const result = await attemptWithPins(options, {
      timeoutMs: attemptTimeoutMs,
      endsAt,
      admitted: clock.admitted,
    });
    if (result.kind === 'connected') return result;
    if (result.kind === 'not-admitted') throw result.cause;
    if (result.kind === 'host-key-refused') throw notAccepted(options, result.offered);
    const hopeless = hopelessError(options, result);
    if (hopeless !== null) throw hopeless;

    const limit =
      (result.kind === 'login-refused' ? options.loginWithinMs : options.reachWithinMs) ?? LIMIT_MS;
    const pause = pauseBefore(tries);
    const waited = Date.now() - clock.started;
    if (clock.isAdmitted && waited + pause >= limit) throw giveUp(options, result, waited);
    const since = clock.isAdmitted ? 'in all' : 'from when Google Cloud has taken the key';
    log.info(
      `Waiting for ${where} to ${waitedFor(result)}: trying again in ${pause / 1000} s, for at most ${limit / 1000} s ${since}`,
    );
    // Up to a quarter more, at random: of those who come at the same time sshd drops some (MaxStartups), and who was
    // dropped must not come back at the same time as the others.
    await clock.pause(pause * (1 + Math.random() / 4));
  }
}

/** When the server ought to take the key: the limits count from then, and nothing waits once that is refused. */
class AdmissionClock {
  started = Date.now();
  isAdmitted: boolean;
  readonly admitted: Promise<unknown>;
  readonly #refused = new AbortController();

  constructor(admission: Promise<unknown> | undefined) {
    this.isAdmitted = admission === undefined;
    this.admitted = Promise.resolve(admission).then(() => {
      this.started = Date.now();
      this.isAdmitted = true;
    });
    this.admitted.catch(() => this.#refused.abort());
  }

  /** Ends early where the admission is refused; the next try then says so. */
  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#refused.signal }).catch(() => undefined);
  }
}

/**
 * Fast at first, then every 5 s, as gcloud does. OpenSSH from 9.8 on shuts out a source address whose failed logins,
 * 5 s of penalty each, add up to 15 s (PerSourcePenalties, sshd_config(5)): this sequence stays below.
 */
function pauseBefore(tries: number): number {
  return tries === 1 ? 1000 : tries === 2 ? 2000 : 5000;
}

function waitedFor(result: AttemptResult): string {
  if (result.kind === 'login-refused') return 'accept the SSH key';
  if (result.kind === 'timeout') return 'answer';
  return `accept SSH connections${result.kind === 'no-connection' ? ` (${result.detail})` : ''}`;
}

function giveUp(options: ConnectOptions, result: AttemptResult, waitedMs: number): ActionError {
  if (result.kind === 'login-refused') return loginRefused(options, waitedMs);
  if (result.kind === 'timeout') return new SshTimedOut(options.host, options.port, waitedMs);
  return noConnection(options, result.kind === 'no-connection' ? result.detail : result.kind, waitedMs);
}

/** The error for what no waiting can mend; null where another try can succeed. */
function hopelessError(options: ConnectOptions, result: AttemptResult): ActionError | null {
  switch (result.kind) {
    case 'no-such-host-key':
      return noCommonAlgorithm(options, { what: 'host key', ...result });
    case 'no-common-algorithm':
      return noCommonAlgorithm(options, result);
    case 'key-not-enough':
      return keyNotEnough(options, result.methods);
    case 'hopeless':
      return noConnection(options, result.detail, 0);
    default:
      return null;
  }
}

const ALGORITHMS: readonly {
  readonly type: string;
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
}[] = [
  { type: 'ssh-ed25519', algorithms: ['ssh-ed25519'] },
  { type: 'ecdsa-sha2-nistp256', algorithms: ['ecdsa-sha2-nistp256'] },
  { type: 'ecdsa-sha2-nistp384', algorithms: ['ecdsa-sha2-nistp384'] },
  { type: 'ecdsa-sha2-nistp521', algorithms: ['ecdsa-sha2-nistp521'] },
  { type: 'ssh-rsa', algorithms: ['rsa-sha2-512', 'rsa-sha2-256'] },
];

/**
 * One try. The types of the pinned keys alone are negotiated: otherwise a server with several keys may offer one
 * that is not pinned. Where only fingerprints are pinned their types are not known, so after a mismatch the other
 * types are tried; and a server that has no key of a pinned type is asked for any, to name it in the error.
 */
async function attemptWithPins(
  options: ConnectOptions,
  patience: Pick<AttemptOptions, 'admitted' | 'timeoutMs' | 'endsAt'>,
): Promise<AttemptResult> {
  const all = ALGORITHMS.flatMap(({ algorithms }) => algorithms);
  const offerAgainAfterMs = offersOf(options);
  const attempt = (algorithms: readonly ServerHostKeyAlgorithm[]) =>
    attemptConnection({ ...options, ...patience, offerAgainAfterMs, algorithms });
  if (options.policy.kind === 'unverified' || options.policy.keys.length === 0) return attempt(all);

  const types = new Set(options.policy.keys.map(({ type }) => type));
  if (!types.has(null)) {
    const pinned = ALGORITHMS.filter(({ type }) => types.has(type)).flatMap(({ algorithms }) => algorithms);
    const result = pinned.length === 0 ? null : await attempt(pinned);
    return result === null || result.kind === 'no-such-host-key' ? attempt(all) : result;
  }
  let offered: OfferedHostKey | null = null;
  for (const { algorithms } of ALGORITHMS) {
    const result = await attempt(algorithms);
    if (result.kind === 'host-key-refused') offered ??= result.offered;
    else if (result.kind !== 'no-such-host-key') return result;
  }
  return offered === null ? attempt(all) : { kind: 'host-key-refused', offered };
}

function offersOf({ loginWithinMs }: ConnectOptions): readonly number[] {
  return loginWithinMs === 0 ? [] : OFFER_AGAIN_MS;
}
