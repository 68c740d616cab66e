import { execFileSync } from 'node:child_process';
import type { Facts } from '../../../src/instance/facts/facts';
import { CA_FILE } from '../../../src/instance/plan/certificate-plan';
import { authorityOf, endpointOf, tlsOf } from '../../../src/modes/tls';
import { readSettings } from '../../../src/settings/read';
import { VM } from '../firewall/fixtures';

const vm = { ...VM, project: 'my-project', zone: 'europe-west1-b', name: 'web-1' };
const read = (values: Record<string, string>) => {
  const all: Record<string, string> = { zone: 'a', instance: 'web-1', mode: 'bootstrap', ...values };
  return readSettings((name) => all[name] ?? '', undefined);
};

/** A certificate of its own for one name, with its key. */
function given(name: string): Record<string, string> {
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const extensions = ['basicConstraints=critical,CA:FALSE', `subjectAltName=${name}`];
  const pem = execFileSync(
    'openssl',
    [...options, '-subj', '/CN=x', ...extensions.flatMap((each) => ['-addext', each]), '-keyout', '-'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const [key = '', certificate = ''] = pem.split(/(?<=-----END PRIVATE KEY-----)\n/);
  return { tls: 'certificate', 'tls-certificate': certificate, 'tls-private-key': key };
}

test('the names of a certificate of the instance’s own: the host of references first, then every other way to it', () => {
  const addresses = { externalIp: '203.0.113.5', internalIp: '10.0.0.2', externalIpv6: null };
  const at = { ...vm, ...addresses, internalIpv6: '2600:1900:4000:318:0:7:0:0' };
  const others = [
    ...['10.0.0.2', '2600:1900:4000:318:0:7::', 'web-1.europe-west1-b.c.my-project.internal'],
    ...['web-1.c.my-project.internal', 'localhost', '127.0.0.1'],
  ];
  expect(tlsOf(read({ tls: 'private-ca' }), at)).toEqual({
    kind: 'private-ca',
    names: ['203.0.113.5', ...others],
  });
  expect(tlsOf(read({ tls: 'private-ca', 'registry-host': 'R.example.com' }), at)).toEqual({
    kind: 'private-ca',
    names: ['r.example.com', '203.0.113.5', ...others],
  });
  expect(tlsOf(read({}), at)).toEqual({ kind: 'none' });
});

test('an old project has its domain behind its name', () => {
  const tls = tlsOf(read({ tls: 'private-ca' }), { ...vm, project: 'example.com:my-project' });
  expect(tls).toMatchObject({ names: expect.arrayContaining(['web-1.c.my-project.example.com.internal']) });
});

test('one that is given has to be for the address that Google names', () => {
  const at = { ...vm, externalIp: '203.0.113.5' };
  expect(tlsOf(read(given('IP:203.0.113.5')), at)).toMatchObject({ kind: 'certificate' });
  expect(() => tlsOf(read(given('IP:203.0.113.6')), at)).toThrow(
    'Certificate does not fit: holding `tls-certificate` against the address of the registry: it is for 203.0.113.6, and not for 203.0.113.5.',
  );
  expect(() => read({ ...given('DNS:a.example.com'), 'registry-host': 'b.example.com' })).toThrow(
    'Invalid input: reading the input `tls-certificate`: it is for a.example.com, and not for b.example.com.',
  );
});

test.each<[string, Record<string, string>, string]>([
  [
    'a certificate without its key',
    { tls: 'certificate', 'tls-certificate': '-----BEGIN CERTIFICATE-----' },
    'reading the input `tls-private-key`: it is empty',
  ],
  [
    'a key without its certificate',
    { tls: 'certificate', 'tls-private-key': '-----BEGIN PRIVATE KEY-----' },
    'reading the input `tls-certificate`: it is empty',
  ],
  ['neither', { tls: 'certificate' }, 'reading the input `tls-certificate`: it is empty'],
  ['both, and another kind', { ...given('DNS:x'), tls: 'private-ca' }, '`tls` is private-ca'],
  ['both, and no kind', { ...given('DNS:x'), tls: '' }, '`tls` is none'],
  ['a kind that there is not', { tls: 'self-signed' }, '"self-signed" is not one of its values'],
])('%s is refused', (_, values, message) => {
  expect(() => read(values)).toThrow(message);
});

test('a run that sets nothing up needs no certificate', () => {
  const settings = read({ tls: 'certificate', mode: 'health-check' });
  expect(tlsOf(settings, vm)).toMatchObject({ kind: 'certificate', given: null });
  expect(authorityOf(settings, null)).toBeNull();
});

test('what this run trusts', async () => {
  const facts = { texts: new Map([[CA_FILE, 'PEM']]) } as Partial<Facts> as Facts;
  const at = { host: '203.0.113.5', port: 5000, serverName: null };
  const own = read({ tls: 'private-ca' });
  expect(authorityOf(own, facts)).toBe('PEM');
  expect(authorityOf(own, null)).toBeNull();
  expect(await endpointOf(own, at, 'PEM')).toEqual({ scheme: 'https', ...at, ca: 'PEM', login: null });
  const certificate = given('IP:203.0.113.5');
  expect(authorityOf(read(certificate), facts)).toBe(certificate['tls-certificate']);
  expect(authorityOf(read({}), facts)).toBeNull();
  expect(await endpointOf(read({}), at, null)).toEqual({ scheme: 'http', ...at, ca: null, login: null });
});
