import { acmeCertificateFile } from '../../../../src/instance/stack/acme';
import { frontConfig } from '../../../../src/instance/stack/front';
import { publishedPorts, servicesOf } from '../../../../src/instance/stack/services';
import type { RegistrySettings } from '../../../../src/settings/types';
import { DESIRED } from '../example';

const DIRECTORY = 'https://acme-v02.api.letsencrypt.org/directory';
const tls = { kind: 'acme', directory: DIRECTORY, email: null } as const;
const registry: RegistrySettings = { ...DESIRED.registry, tls };
const config = (name: string, changes: Partial<RegistrySettings> = {}) =>
  frontConfig({ ...registry, ...changes }, name, null);

test('a name: one site for every host, which gets a certificate for that one', () => {
  const text = config('r.example.com', { tls: { ...tls, email: 'a@example.com' } });
  expect(text).toContain(
    '\nhttps://r.example.com:5000, https://:5000, https://r.example.com:18080, https://:18080 {\n',
  );
  expect(text).toContain(
    `	tls {\n		issuer acme {\n			dir ${DIRECTORY}\n			email a@example.com\n			disable_tlsalpn_challenge\n		}\n	}\n`,
  );
  expect(text).toContain('\n	auto_https disable_redirects\n	storage file_system /data/caddy\n');
  expect(text).not.toContain('server.pem');
});

test.each([
  ['203.0.113.5', 'https://203.0.113.5:5000'],
  ['2001:db8::5', 'https://[2001:db8::5]:5000'],
])('the address %s is asked for by the profile that addresses are in', (address, site) => {
  const text = config(address);
  expect(text).toContain(`\n${site}, `);
  expect(text).toMatch(/\n\t\t\tprofile shortlived\n/);
  expect(config('r.example.com')).not.toContain('profile');
});

test('the port of the challenges answers nothing else, and is open to others than the registry’s', () => {
  expect(config('r.example.com')).toContain('\nhttp://:80 {\n	abort\n}\n');
  const front = servicesOf(registry).find(({ name }) => name === 'front');
  expect(front?.ports.map(({ published }) => published)).toEqual([5000, 18080, 80]);
  expect(publishedPorts(registry)).toEqual([5000, 18080]);
  expect(front?.mounts).toContainEqual({
    source: '/etc/gce-registry/acme',
    target: '/data',
    readOnly: false,
  });
});

test.each([
  [DIRECTORY, 'r.example.com', 'acme-v02.api.letsencrypt.org-directory/r.example.com/r.example.com.crt'],
  [DIRECTORY, '203.0.113.5', 'acme-v02.api.letsencrypt.org-directory/203.0.113.5/203.0.113.5.crt'],
  [DIRECTORY, '2001:db8::5', 'acme-v02.api.letsencrypt.org-directory/2001-db8--5/2001-db8--5.crt'],
  [
    'https://ca.example.com:8443/acme/x y',
    'r.example.com',
    'ca.example.com-8443-acme-x20y/r.example.com/r.example.com.crt',
  ],
  ['https://ca.example.com', 'r.example.com', 'ca.example.com/r.example.com/r.example.com.crt'],
])('where the front keeps what %s signed for %s', (directory, name, file) => {
  expect(acmeCertificateFile({ directory: new URL(directory).href }, name)).toBe(
    `/etc/gce-registry/acme/caddy/certificates/${file}`,
  );
});
