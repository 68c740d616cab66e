import type { Log } from '../job/log';
import { endProcess, type ProcessMark, runs } from '../job/process';
import type { TunnelOrder } from '../route/order';
import type { StartTunnel } from '../route/start';
import { ActionError } from '../values/errors';
import type { LeaseRecord } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { type Check, hasFields, isTime, orNull, text } from './well-formed';

/**
 * The process that leads a port of this machine to the registry. Whatever becomes of the post step, it ends with the job,
 * so there is no sweep.
 */
export interface TunnelLease extends LeaseRecord {
  readonly kind: 'tunnel';
  /** Null until it listens; it ends by itself where the main step comes to its end before. */
  readonly process: ProcessMark | null;
}

/** A tunnel that this run has opened. */
export interface HeldTunnel {
  /** On 127.0.0.1 of this machine. */
  readonly port: number;
  /**
   * Refuses to go on where somebody has ended its process: nothing listens there any more.
   *
   * @throws ActionError `Tunnel ended`
   */
  readonly require: () => void;
  /** Closes it before the job ends. */
  readonly release: (log: Log) => Promise<void>;
}

/**
 * Opens a tunnel that lasts until the job ends.
 *
 * @throws ActionError `SSH forwarding is not allowed`, `Tunnel not opened`
 */
export async function takeTunnel(
  start: StartTunnel,
  order: Omit<TunnelOrder, 'lifetimeMs'>,
  terms: LeaseTerms,
): Promise<HeldTunnel> {
  const lease: TunnelLease = { kind: 'tunnel', process: null, expires: expiryOf(terms).toISOString() };
  const noted = terms.journal.note<TunnelLease>(lease);
  const tunnel = await start({ ...order, lifetimeMs: terms.lifetimeMs });
  const { port, process } = tunnel;
  noted.change({ process });
  await tunnel.go();
  return {
    port,
    require() {
      if (!runs(process)) throw ended(port);
    },
    async release(log) {
      await releaseTunnel({ ...lease, process }, log);
      noted.end();
    },
  };
}

function ended(port: number): ActionError {
  return new ActionError('Tunnel ended', {
    doing: `reaching the registry through the tunnel at port ${port} of this runner`,
    happened: 'the process of the tunnel has ended, and not by this run',
    next: 'Run again; where it happens again, look for what ends processes on this runner, such as a lack of memory (`journalctl -k`)',
  });
}

/**
 * Closes it. Does nothing, the second time.
 *
 * @throws ActionError `Tunnel not closed`
 */
export async function releaseTunnel({ process }: TunnelLease, log: Log): Promise<void> {
  if (process === null) return;
  if (!(await endProcess(process))) {
    throw new ActionError('Tunnel not closed', {
      doing: `ending the process ${process.pid} of the tunnel`,
      happened: 'it still runs',
      next: `End it by hand (\`kill -KILL ${process.pid}\`); it ends with the job in any case`,
    });
  }
  log.info('The tunnel to the registry is closed');
}

export function isTunnelLease(value: unknown): value is TunnelLease {
  return hasFields(value, { kind: text(/^tunnel$/), process: orNull(isProcess), expires: isTime });
}

/** No process that others depend on: not all, not a group, and not the first one. */
const isProcess: Check = (value) =>
  hasFields(value, {
    pid: (pid) => Number.isSafeInteger(pid) && (pid as number) > 1,
    started: orNull(text(/^\d+$/)),
  });
