import type { Client, ClientChannel } from 'ssh2';

/** The far end of a tunnel: the loopback of the instance, where the front listens whatever else it does. */
const LOOPBACK = '127.0.0.1';

/** sshd does not let this login open connections: AllowTcpForwarding, DisableForwarding, PermitOpen, `restrict`. */
export class ForwardingProhibited extends Error {}

/** Nothing listens on the instance's port. */
export class NobodyListens extends Error {}

/**
 * Opens a connection from the instance to a port of its own loopback.
 *
 * @throws ForwardingProhibited, NobodyListens, and Error where the SSH connection has ended
 */
export function openChannel(client: Client, port: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error('the SSH connection has ended'));
    client.once('close', lost);
    const opened = (error: Error | undefined, channel: ClientChannel) => {
      client.removeListener('close', lost);
      if (error === undefined) resolve(channel);
      else reject(refusalOf(error));
    };
    try {
      client.forwardOut(LOOPBACK, 0, LOOPBACK, port, opened);
    } catch {
      lost();
    }
  });
}

/** https://www.rfc-editor.org/rfc/rfc4254#section-5.1: 1 is administratively prohibited, 2 connect failed. */
function refusalOf(error: Error & { reason?: unknown }): Error {
  if (error.reason === 1) return new ForwardingProhibited(error.message);
  return error.reason === 2 ? new NobodyListens(error.message) : error;
}
