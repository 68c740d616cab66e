import type { Socket } from 'node:net';
import type { Client } from 'ssh2';

/**
 * Writes what an SSH client sends within one turn of the event loop with one system call: the library writes length,
 * content and tag of each packet one by one (ssh2, lib/protocol/crypto.js), which is a quarter of what a large upload
 * costs. The library hands its socket out to nobody; where it has none under that name, all is as it was.
 */
export function batchWrites(client: Client): void {
  const socket = (client as unknown as { readonly _sock?: Socket })._sock;
  if (socket === undefined) return;
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isCorked = false;
  socket.write = (...args: unknown[]) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
}
