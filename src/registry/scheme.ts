import { isIP } from 'node:net';
import { type Endpoint, socketHost } from './endpoint';
import { registryHttp } from './http';

/**
 * The endpoint of a registry, found out the way Docker does: HTTPS where it is spoken and its certificate is one that this
 * machine trusts, else HTTP. Only names can have a certificate worth asking for; an address is taken to speak HTTP.
 */
export async function findEndpoint(host: string, port: number): Promise<Endpoint> {
  const scheme = (await speaksHttps(host, port)) ? 'https' : 'http';
  return { scheme, host, port, serverName: null, ca: null, login: null };
}

/** Whether a registry answers HTTPS with a certificate that this machine trusts; false when it does not within `limitMs`. */
export async function speaksHttps(host: string, port: number, limitMs = 3000): Promise<boolean> {
  if (isIP(socketHost({ host })) !== 0) return false;
  const endpoint: Endpoint = { scheme: 'https', host, port, serverName: null, ca: null, login: null };
  const connection = registryHttp(endpoint, { idleMs: limitMs, totalMs: limitMs });
  try {
    await connection.send({ method: 'GET', path: '/v2/', maxBytes: 0x10000 });
    return true;
  } catch {
    return false;
  } finally {
    connection.close();
  }
}
