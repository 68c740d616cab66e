import type { Docker } from '../../../src/docker/docker';
import { proxyTrouble } from '../../../src/push/proxy-trouble';

const settings = { http: 'http://user:secret@proxy.example:3128', https: '', no: 'localhost,10.0.0.0/8' };

function docker(output: string, proxies = async () => settings) {
  const calls: string[] = [];
  const pull = async (reference: string) => {
    calls.push(reference);
    return { ok: false, output };
  };
  return { calls, docker: { proxies, pull } as unknown as Docker };
}

test.each([
  'Error response from daemon: Get "http://203.0.113.20:5000/v2/": proxyconnect tcp: dial tcp: connect: connection refused',
  "Error response from daemon: error parsing HTTP 403 response body: invalid character '<'",
  'Error response from daemon: received unexpected HTTP status: 503 Service Unavailable',
  'Error response from daemon: pull access denied, forbidden',
])('a proxy that swallows the push is named, without its password: %s', async (output) => {
  const error = await proxyTrouble('203.0.113.20:5000', docker(output).docker);
  expect(error).toMatchObject({ title: 'Proxy between Docker and the registry' });
  expect(error?.message).toContain('the proxy http://proxy.example:3128,');
  expect(error?.message).toContain('Name 203.0.113.20 in NO_PROXY');
  expect(error?.message).toContain('it has localhost,10.0.0.0/8 now');
  expect(error?.message).not.toContain('secret');
});

test.each([
  'Error response from daemon: manifest for 203.0.113.20:5000/x:y not found: manifest unknown',
  'Error response from daemon: Get "http://203.0.113.20:5000/v2/x": no basic auth credentials',
  'Error response from daemon: failed to resolve reference "203.0.113.20:5000/x:y": 203.0.113.20:5000/x:y: not found',
])('a proxy that lets requests pass is not in the way: %s', async (output) => {
  expect(await proxyTrouble('203.0.113.20:5000', docker(output).docker)).toBeNull();
});

test('where no proxy applies, nothing is tried', async () => {
  const { docker: fake, calls } = docker('no');
  expect(await proxyTrouble('10.1.2.3:5000', fake)).toBeNull();
  const gone = docker('no', () => Promise.reject(new Error('gone')));
  expect(await proxyTrouble('203.0.113.20:5000', gone.docker)).toBeNull();
  expect([...calls, ...gone.calls]).toEqual([]);
});
