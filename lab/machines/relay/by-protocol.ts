import { connect, createServer, type Server } from 'node:net';

/** Where to connect to. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** The content type of a handshake, which is the first byte that a client of TLS sends (RFC 8446, section 5.1). */
const HANDSHAKE = 22;

/** Leads a connection in TLS to one place, since nobody in between can read it, and any other one to another. */
export function byProtocol(tls: Place, plain: () => Place): Server {
  return createServer({ allowHalfOpen: true }, (near) => {
    near.on('error', () => undefined);
    near.once('readable', () => {
      const first: Buffer | null = near.read();
      if (first === null) return near.destroy();
      const far = connect({ ...(first[0] === HANDSHAKE ? tls : plain()), allowHalfOpen: true });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.resetAndDestroy());
        one.on('close', () => {
          if (!other.writableEnded) other.destroy();
        });
      }
      far.write(first);
      near.pipe(far).pipe(near);
    });
  });
}
