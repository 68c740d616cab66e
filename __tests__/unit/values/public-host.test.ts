import { isIP } from 'node:net';
import fc from 'fast-check';
import { whyNotPublic } from '../../../src/values/public-host';

test.each([
  ['registry.example.com', null],
  ['a.b.co.uk', null],
  ['localhost.example.com', null],
  ['xn--bcher-kva.de', null],
  ['203.0.113.5', null],
  ['2001:db8::5', null],
  ['100.128.0.1', null],
  ['registry', 'is a name without a domain'],
  ['localhost', 'is a name without a domain'],
  ['a.localhost', 'is in a domain that the internet does not know'],
  ['vm.europe-west1-b.c.p.internal', 'is in a domain that the internet does not know'],
  ['nas.local', 'is in a domain that the internet does not know'],
  ['router.lan', 'is in a domain that the internet does not know'],
  ['pc.home.arpa', 'is in a domain that the internet does not know'],
  ['registry.test', 'is in a domain that the internet does not know'],
  ['registry.example', 'is in a domain that the internet does not know'],
  ['10.132.0.2', 'is a private address'],
  ['172.31.255.255', 'is a private address'],
  ['192.168.1.1', 'is a private address'],
  ['fd00::1', 'is a private address'],
  ['::ffff:10.0.0.1', 'is a private address'],
  ['100.64.0.1', 'is shared by the customers of a provider'],
  ['127.0.0.1', 'is the machine itself'],
  ['::1', 'is the machine itself'],
  ['169.254.169.254', 'is of one link alone'],
  ['fe80::1', 'is of one link alone'],
  ['224.0.0.1', 'is no address of one machine'],
  ['0.0.0.0', 'is no address of one machine'],
])('%s: %s', (host, why) => {
  expect(whyNotPublic(host)).toBe(why);
});

test('of any address and any name something is said', () => {
  const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.string());
  fc.assert(
    fc.property(hosts, (host) => {
      const why = whyNotPublic(host);
      expect(why === null || typeof why === 'string').toBe(true);
      if (isIP(host) === 0 && !host.includes('.')) expect(why).not.toBeNull();
    }),
  );
});
