import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { ForwardingProhibited, NobodyListens, openChannel } from './channel';

/** A container that is being replaced is away for three seconds at most: who comes meanwhile is held, not refused. */
const HOLD_MS = 10_000;
const PAUSE_MS = 250;
/** A connection that ends as it is used is made anew, once more. */
const TRIES = 3;

/**
 * Leads connections of this machine to a port of the instance, each by a channel of one SSH connection. One that was lost
 * is made anew with the next connection, which waits for it, as do those that come meanwhile.
 */
export class Forwarder {
  #client: Promise<Client> | null = null;
  readonly #connect: () => Promise<Client>;
  readonly #target: number;
  #ended = false;

  /** @param connect makes a new SSH connection, within a limit of its own */
  constructor(connect: () => Promise<Client>, target: number) {
    this.#connect = connect;
    this.#target = target;
  }

  /** The SSH connection; a new one where there is none. */
  client(): Promise<Client> {
    const present = this.#client;
    if (present !== null) return present;
    const fresh: Promise<Client> = this.#connect().then((client) => {
      client.once('close', () => this.#forget(fresh)).once('error', () => this.#forget(fresh));
      if (this.#ended) client.end();
      return client;
    });
    fresh.catch(() => this.#forget(fresh));
    this.#client = fresh;
    return fresh;
  }

  /** Leads one connection there and back, until either side ends it. */
  async lead(socket: Socket): Promise<void> {
    socket.setNoDelay(true);
    // An error event without a listener would end the process; the pipes below see its end.
    socket.on('error', () => undefined);
    try {
      join(socket, await this.#channel(socket));
    } catch {
      socket.resetAndDestroy();
    }
  }

  /** Ends the SSH connection, for good. */
  async end(): Promise<void> {
    this.#ended = true;
    const client = await this.#client?.catch(() => null);
    client?.end();
  }

  /** A later one stays. */
  #forget(lost: Promise<Client>): void {
    if (this.#client === lost) this.#client = null;
  }

  async #channel(socket: Socket): Promise<ClientChannel> {
    const end = Date.now() + HOLD_MS;
    for (let tries = 1; ; ) {
      const client = await this.client();
      try {
        return await openChannel(client, this.#target);
      } catch (error) {
        if (error instanceof ForwardingProhibited || this.#ended || socket.destroyed) throw error;
        const mayHold = error instanceof NobodyListens;
        if (mayHold ? Date.now() > end : tries >= TRIES) throw error;
        if (!mayHold) tries += 1;
        await delay(PAUSE_MS);
      }
    }
  }
}

/** Passes on what comes from either side, its end included, each no faster than the other takes it. */
function join(socket: Socket, channel: ClientChannel): void {
  channel.on('error', () => undefined);
  socket.pipe(channel);
  channel.pipe(socket);
  // What is still to be written is; nothing more comes.
  channel.on('close', () => socket.destroySoon());
  socket.on('close', () => channel.resume().close());
  if (socket.destroyed) channel.close();
}
