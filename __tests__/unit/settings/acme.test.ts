import { readSettings } from '../../../src/settings/read';

const read = (values: Record<string, string>) => {
  const all: Record<string, string> = {
    zone: 'a',
    instance: 'vm',
    mode: 'bootstrap',
    tls: 'acme',
    ...values,
  };
  return readSettings((name) => all[name] ?? '', undefined).registry;
};

test('Let’s Encrypt without more, and another authority with an address of mail', () => {
  expect(read({}).tls).toEqual({
    kind: 'acme',
    directory: 'https://acme-v02.api.letsencrypt.org/directory',
    email: null,
  });
  const given = {
    'acme-directory': 'https://ca.example.com:8443/acme/x/',
    'acme-email': 'a.b+c@example.com',
  };
  expect(read({ ...given, 'registry-host': 'Registry.Example.com' }).tls).toEqual({
    kind: 'acme',
    directory: 'https://ca.example.com:8443/acme/x',
    email: 'a.b+c@example.com',
  });
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    'a name of one’s own network',
    { 'registry-host': 'registry.internal' },
    /registry-host`: "registry.internal" is in a domain that the internet does not know/,
  ],
  ['a name without a domain', { 'registry-host': 'registry' }, /is a name without a domain/],
  ['a private address', { 'registry-host': '10.0.0.5' }, /"10.0.0.5" is a private address/],
  ['a private address of IPv6', { 'registry-host': '[fd00::5]' }, /is a private address/],
  [
    'the port of the challenges for the registry',
    { 'registry-port': '80' },
    /registry-port`: "80" is where the challenges/,
  ],
  ['that port for the page', { 'ui-port': '80' }, /ui-port`: "80" is where the challenges/],
  ['that port for SSH', { 'ssh-port': '80' }, /ssh-port`: "80" is where the challenges/],
  ['no address of mail', { 'acme-email': 'somebody' }, /acme-email`: "somebody" is no address of mail/],
  [
    'an address of mail that is more than one word',
    { 'acme-email': 'a@b.c {env.HOME}' },
    /is no address of mail/,
  ],
  ['a directory over plain HTTP', { 'acme-directory': 'http://ca.example.com/x' }, /acme-directory/],
  ['a certificate beside it', { 'tls-certificate': '-----BEGIN CERTIFICATE-----' }, /`tls` is acme/],
  [
    'an address of mail without it',
    { tls: 'private-ca', 'acme-email': 'a@example.com' },
    /acme-email`: `tls` is private-ca/,
  ],
])('%s is refused', (_, values, message) => {
  expect(() => read(values)).toThrow(/^Invalid input: /);
  expect(() => read(values)).toThrow(message);
});

test('without a page its port is nobody’s, and 443 is free to use', () => {
  expect(read({ ui: 'none', 'ui-port': '80', 'registry-port': '443' }).port).toBe(443);
  expect(read({ 'registry-port': '443', 'ui-port': '443' }).uiPort).toBe(443);
});
