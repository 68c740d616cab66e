import { createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Log } from '../job/log';
import { markOf, runs } from '../job/process';
import { login } from '../ssh/connect';
import type { ProvenLogin } from '../ssh/connection';
import { messageOf } from '../values/errors';
import { batchWrites } from './batched-writes';
import { ForwardingProhibited, NobodyListens, openChannel } from './channel';
import { Forwarder } from './forwarder';
import { GO, type TunnelAnswer, type TunnelOrder } from './order';

/** The streams that the main step holds the other ends of. */
export interface TunnelStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

/**
 * The process of a tunnel. Its order comes over standard input, so that the key is in no file, argument or variable. It
 * listens on the loopback of this machine, says so, and goes on by itself once it is told to: where the main step dies
 * before it has noted the process, standard input ends, and so does this. Then it ends by SIGTERM, which the post step
 * sends; when the process is gone that lives as long as the job; when GitHub's runner ends what a job has left behind,
 * which it knows by RUNNER_TRACKING_ID
 * (https://github.com/actions/runner/blob/b7fd7da1539f332b98c2d645a86b4b49c53469cb/src/Runner.Worker/JobExtension.cs#L868); and with its lifetime.
 */
export async function serveTunnel({ stdin, stdout }: TunnelStreams): Promise<void> {
  // Once the main step has ended nobody reads it.
  stdout.on('error', () => undefined);
  const lines = createInterface({ input: stdin })[Symbol.asyncIterator]();
  const { value: line } = await lines.next();
  if (line === undefined) return;
  const order = JSON.parse(line) as TunnelOrder;
  const word = lines.next();
  // A login can take long, and the main step can die meanwhile.
  const opened = await Promise.race([open(order), word.then(() => null)]);
  if (opened === null) return;
  const { answer, end } = opened;
  stdout.write(`${JSON.stringify(answer)}\n`);
  if (answer.kind === 'ready' && (await word).value === GO) await endOf(order);
  await end();
}

interface Opened {
  readonly answer: TunnelAnswer;
  readonly end: () => Promise<void>;
}

async function open({ login: proven, target }: TunnelOrder): Promise<Opened> {
  const forwarder = new Forwarder(() => connectAgain(proven), target);
  try {
    await requireForwarding(forwarder, target);
    const server = createServer({ allowHalfOpen: true }, (socket) => void forwarder.lead(socket));
    const port = await listen(server, target);
    return {
      answer: { kind: 'ready', port, process: markOf(process.pid) },
      async end() {
        server.close();
        await forwarder.end();
      },
    };
  } catch (error) {
    await forwarder.end();
    const answer: TunnelAnswer =
      error instanceof ForwardingProhibited
        ? { kind: 'prohibited' }
        : { kind: 'failed', message: messageOf(error) };
    return { answer, end: async () => undefined };
  }
}

/** Nobody reads a log of this process. */
const SILENT: Log = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  group: (_title, work) => work(),
  foreign: () => undefined,
  mask: () => undefined,
};

/** So long a connection of Docker's waits for the instance to be back. */
const BACK_WITHIN_MS = 60_000;

async function connectAgain({ hostKey, ...login_ }: ProvenLogin) {
  const policy = { kind: 'pinned', keys: [hostKey], source: 'the first connection of this run' } as const;
  const limits = { reachWithinMs: BACK_WITHIN_MS, loginWithinMs: BACK_WITHIN_MS / 2 };
  const { client } = await login({ ...login_, ...limits, policy }, SILENT);
  batchWrites(client);
  return client;
}

/** Finds out at once whether sshd lets this login open connections. Whether anything listens there yet is another matter. */
async function requireForwarding(forwarder: Forwarder, target: number): Promise<void> {
  try {
    (await openChannel(await forwarder.client(), target)).close();
  } catch (error) {
    if (!(error instanceof NobodyListens)) throw error;
  }
}

/** The port of the registry itself where it is free, so that references look as they do elsewhere; or else any. */
async function listen(server: Server, wanted: number): Promise<number> {
  const on = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port }, () => {
        server.removeListener('error', reject);
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  return on(wanted).catch(() => on(0));
}

const WATCH_MS = 1000;

/** Settles when the tunnel is to end. */
function endOf({ job, lifetimeMs }: TunnelOrder): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(limit);
      clearInterval(look);
      process.off('SIGTERM', end);
      resolve();
    };
    const limit = setTimeout(end, lifetimeMs);
    const look = setInterval(() => {
      if (job !== null && !runs(job)) end();
    }, WATCH_MS);
    process.once('SIGTERM', end);
  });
}
