import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isTransient, registryHttp } from '../../../src/registry/http';

// The registry is reached by another address than its certificate is for, as through a tunnel.

const [key = '', cert = ''] = execFileSync(
  'openssl',
  [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=x', '-addext', 'subjectAltName=DNS:registry.example.test,IP:203.0.113.5'],
    ...['-keyout', '-', '-out', '-'],
  ],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
).split(/(?<=-----END PRIVATE KEY-----)\n/);

let server: Server;
let names: unknown[];

beforeEach(async () => {
  names = [];
  server = createServer({ key, cert }, (request, response) => {
    names.push((request.socket as TLSSocket & { servername?: unknown }).servername);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(serverName: string | null, ca: string | null = cert): Promise<number> {
  const { port } = server.address() as AddressInfo;
  const login = null;
  const http = registryHttp({ scheme: 'https', host: '127.0.0.1', port, serverName, ca, login });
  const request = { method: 'GET', path: '/v2/', maxBytes: 100 } as const;
  return (await http.send(request).finally(() => http.close())).status;
}

test.each([
  ['registry.example.test', 'registry.example.test'],
  ['203.0.113.5', false],
])('a certificate for %s is what is asked for', async (name, sent) => {
  expect(await ask(name)).toBe(200);
  expect(names).toEqual([sent]);
});

test.each([['other.example.test'], ['203.0.113.6'], ['127.0.0.1'], [null]])(
  'one that is not for %s is refused',
  async (name) => {
    await expect(ask(name)).rejects.toThrow(/Certificate not trusted: .*does not match certificate/);
    expect(names).toEqual([]);
  },
);

test('one by an authority that is not trusted is refused as that, and not asked for again', async () => {
  const error: unknown = await ask('registry.example.test', null).catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/Certificate not trusted: .*self-signed certificate/);
  expect(isTransient(error)).toBe(false);
});
