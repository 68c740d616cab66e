import type { Socket } from 'node:net';

/** What is wrong with the connections of one port. */
export interface Line {
  /** Milliseconds that a byte takes, either way. */
  readonly delayMs: () => number;
  /** Bytes of both directions together after which a connection is reset; null for none. */
  readonly limit: () => number | null;
  /** A connection was reset for that. */
  readonly onReset: () => void;
  /** A connection has carried so many bytes so far. */
  readonly onBytes: (total: number) => void;
}

/**
 * Bytes under way in one direction: with a delay this bounds the rate, as the window of TCP does. Linux' own grows up
 * to some megabytes where both ends read fast.
 */
const WINDOW = 1024 * 1024;

/** Connects `near` with what `open` connects to, over a bad line. The delay is that of the connection's begin. */
export function link(near: Socket, open: () => Socket, line: Line): void {
  const delayMs = line.delayMs();
  // Before the first byte TCP's handshake goes there and back.
  later(delayMs * 2, () => {
    if (near.destroyed) return;
    const far = open();
    let total = 0;
    const reset = () => {
      for (const socket of [near, far]) if (!socket.destroyed) socket.resetAndDestroy();
    };
    /** How much of `size` bytes may still pass. */
    const admit = (size: number): number => {
      const limit = line.limit();
      if (limit !== null && total + size >= limit) {
        const rest = Math.max(0, limit - total);
        line.onReset();
        setImmediate(reset);
        total = limit;
        return rest;
      }
      total += size;
      line.onBytes(total);
      return size;
    };
    pump(near, far, delayMs, admit);
    pump(far, near, delayMs, admit);
    for (const socket of [near, far]) {
      // A reset, a refusal or a timeout of one side is the same for the other.
      socket.on('error', reset);
      socket.on('close', (failed: boolean) => {
        if (failed) reset();
      });
      socket.setNoDelay(true);
    }
  });
}

function pump(from: Socket, to: Socket, delayMs: number, admit: (size: number) => number): void {
  let held = 0;
  from.on('data', (chunk: Buffer) => {
    held += chunk.length;
    if (held > WINDOW) from.pause();
    later(delayMs, () => {
      if (to.destroyed) return;
      const passing = admit(chunk.length);
      to.write(chunk.subarray(0, passing), () => {
        held -= chunk.length;
        if (held <= WINDOW) from.resume();
      });
    });
  });
  from.on('end', () => later(delayMs, () => to.end()));
}

/** Timers of one duration go off in the order in which they were set. */
function later(ms: number, work: () => void): void {
  if (ms === 0) work();
  else setTimeout(work, ms);
}
