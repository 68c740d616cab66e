import { execFileSync } from 'node:child_process';
import type { Facts } from '../../../src/instance/facts/facts';
import { CA_FILE, SERVER_FILE } from '../../../src/instance/plan/certificate-plan';
import type { Desired } from '../../../src/instance/plan/desired';
import { instanceStep } from '../../../src/instance/plan/steps';
import { isBy, plannedReach, reachOf } from '../../../src/instance/reach';
import { acmeCertificateFile } from '../../../src/instance/stack/acme';
import { FRONT_FILE } from '../../../src/instance/stack/front';
import { BARE, converged, DESIRED, stackFor } from './example';

const directory = 'https://acme-v02.api.letsencrypt.org/directory';

/** A certificate for a name, by itself. */
function certificate(name: string): string {
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', '/dev/null'];
  return execFileSync('openssl', [...options, ...names], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const [one, another] = [certificate('r.example.com'), certificate('s.example.com')];
const names = ['r.example.com'] as const;

function withTls(tls: 'private-ca' | 'certificate' | 'acme'): Desired {
  const registry = { ...DESIRED.registry, host: names[0] };
  if (tls === 'acme') {
    const acme = { kind: tls, directory, email: null };
    return { ...DESIRED, registry: { ...registry, tls: acme }, tls: { ...acme, names } };
  }
  const given = { kind: tls, given: null };
  return { ...DESIRED, registry: { ...registry, tls: given }, tls: { ...given, names } };
}

function facts(desired: Desired, files: Record<string, string> = {}): Facts {
  const front = stackFor(desired).front.content;
  return { ...converged(desired), texts: new Map(Object.entries({ [FRONT_FILE]: front, ...files })) };
}

const plain = {
  tls: 'none',
  host: null,
  port: 5000,
  uiPort: 18080,
  names: [],
  chain: null,
  authority: null,
  loopback: false,
  logins: [],
  anonymousPull: false,
};
const encrypted = { ...plain, host: names[0], names, chain: one };

test.each<[string, Facts, object]>([
  // What is left from another time is not what the front shows.
  ['plain HTTP', facts(DESIRED, { [SERVER_FILE]: one, [CA_FILE]: one }), plain],
  [
    'an authority of its own',
    facts(withTls('private-ca'), { [SERVER_FILE]: one, [CA_FILE]: one }),
    { ...encrypted, tls: 'private-ca', authority: one },
  ],
  [
    'a certificate that was given, by another authority',
    facts(withTls('certificate'), { [SERVER_FILE]: one, [CA_FILE]: another }),
    { ...encrypted, tls: 'certificate' },
  ],
  [
    'one by ACME',
    facts(withTls('acme'), { [acmeCertificateFile({ directory }, names[0])]: one, [SERVER_FILE]: another }),
    { ...encrypted, tls: 'acme' },
  ],
])('how a registry is reached: %s', (_case, given, reach) => {
  expect(reachOf(given)).toEqual(reach);
});

test('a bare machine has none', () => {
  expect(reachOf(BARE)).toBeNull();
});

test('behind the loopback alone', () => {
  const all = facts(DESIRED);
  const containers = all.containers.map((each) => ({
    ...each,
    asked: each.asked.map((port) => ({ ...port, address: '127.0.0.1' })),
  }));
  expect(reachOf({ ...all, containers })).toMatchObject({ loopback: true });
});

test('a plan says how it would be reached, and that an authority is yet to be made', () => {
  const wanted = withTls('private-ca');
  const content = stackFor(wanted).front.content;
  const steps = [
    instanceStep({ kind: 'configure-front', content, image: null }, 'front', null, '', ''),
    instanceStep({ kind: 'make-ca', names }, 'ca', null, '', ''),
  ];
  expect(reachOf(facts(DESIRED))).toMatchObject({ tls: 'none' });
  expect(plannedReach(facts(DESIRED), steps, wanted.tls)).toMatchObject({
    tls: 'private-ca',
    host: names[0],
    names,
    authority: '',
  });
});

test('an authority is that of a chain where it has signed its end', () => {
  expect([
    isBy(one, one),
    isBy(one, `${another}${one}`),
    isBy(one, `${one}${another}`),
    isBy(one, ''),
  ]).toEqual([true, true, false, false]);
});
