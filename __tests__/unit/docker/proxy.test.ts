import { proxyFor, withoutCredentials } from '../../../src/docker/proxy';

const http = 'http://proxy.example:3128';

// As Go's own tests have it (golang.org/x/net/http/httpproxy), with those that matter here beside.
test.each<[string, string, boolean]>([
  ['203.0.113.20', '', true],
  ['203.0.113.20', '*', false],
  ['203.0.113.20', '203.0.113.20', false],
  ['203.0.113.20', ' 203.0.113.20 ', false],
  ['203.0.113.20', '203.0.113.20:5000', false],
  ['203.0.113.20', '203.0.113.20:5001', true],
  ['203.0.113.20', '203.0.113.0/24', false],
  ['203.0.113.20', '203.0.113.0/99', true],
  ['203.0.113.20', '203.0.113.2', true],
  ['203.0.113.20', 'localhost,10.0.0.0/8,.example.com', true],
  ['203.0.113.20', '203.0.113.', true],
  ['203.0.113.20', '203.0.113.*', true],
  ['203.0.113.20', ',,', true],
  ['[2001:db8::1]', '2001:db8::1', false],
  ['[2001:db8::1]', '[2001:db8::1]:5000', false],
  ['2001:db8::1', '[2001:db8::1]:80', true],
  ['2001:db8::1', '2001:db8::/32', false],
  ['2001:db8:0::1', '2001:db8::1', false],
  ['registry.example.com', 'example.com', false],
  ['registry.example.com', '.example.com', false],
  ['registry.example.com', '*.example.com', false],
  ['Registry.Example.com', 'EXAMPLE.com', false],
  ['registry.example.com', 'example.com:5000', false],
  ['registry.example.com', 'example.com:443', true],
  ['example.com', '.example.com', true],
  ['example.com', '*.example.com', true],
  ['notexample.com', 'example.com', true],
  ['registry.example.com', ':5000', true],
  ['localhost', '', false],
  ['127.0.0.1', '', false],
  ['127.1.2.3', '', false],
  ['[::1]', '', false],
])('%s with NO_PROXY=%j goes through the proxy: %s', (host, no, proxied) => {
  expect(proxyFor(host, 5000, { http, https: '', no })).toBe(proxied ? http : null);
});

test('a proxy for HTTPS alone counts: Docker tries HTTPS first', () => {
  expect(proxyFor('203.0.113.20', 5000, { http: '', https: http, no: '' })).toBe(http);
  expect(proxyFor('203.0.113.20', 5000, { http: '', https: '', no: '' })).toBeNull();
});

test.each([
  ['http://user:p@ss@proxy:3128', 'http://proxy:3128'],
  ['user:pass@proxy:3128', 'proxy:3128'],
  ['socks5://proxy', 'socks5://proxy'],
])('%s is shown as %s', (proxy, shown) => {
  expect(withoutCredentials(proxy)).toBe(shown);
});
