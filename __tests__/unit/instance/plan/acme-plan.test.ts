import { execFileSync } from 'node:child_process';
import type { Facts } from '../../../../src/instance/facts/facts';
import type { Tls } from '../../../../src/instance/plan/certificate-plan';
import type { Desired } from '../../../../src/instance/plan/desired';
import { planInstance } from '../../../../src/instance/plan/plan';
import { acmeCertificateFile } from '../../../../src/instance/stack/acme';
import { BARE, converged, DESIRED } from '../example';

const DAY = 86_400_000;
const NAME = 'r.example.com';
const acme = {
  kind: 'acme',
  directory: 'https://acme-v02.api.letsencrypt.org/directory',
  email: null,
} as const;
const tls: Tls = { ...acme, names: [NAME] };
const WANTED: Desired = { ...DESIRED, registry: { ...DESIRED.registry, tls: acme }, tls };

/** A certificate that is good for a hundred days. */
function certificate(name: string): string {
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const rest = [
    '-days',
    '100',
    '-subj',
    '/CN=x',
    '-addext',
    `subjectAltName=DNS:${name}`,
    '-keyout',
    '/dev/null',
  ];
  return execFileSync('openssl', [...options, ...rest], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
const GOOD = certificate(NAME);

const having = (facts: Facts, pem: string | null): Facts => ({
  ...facts,
  texts: new Map([
    ...facts.texts,
    ...(pem === null ? [] : [[acmeCertificateFile(acme, NAME), pem] as const]),
  ]),
});
const steps = (facts: Facts, desired = WANTED) => planInstance(desired, facts).steps;
const kinds = (facts: Facts, desired = WANTED) => steps(facts, desired).map(({ action }) => action.kind);
const ENDPOINTS = [
  { service: 'registry', scheme: 'https', port: 5000, path: '/v2/' },
  { service: 'ui', scheme: 'https', port: 18080, path: '/' },
];

afterEach(() => jest.useRealTimers());

test('with a certificate there is nothing to do, however little of its time is left: the front renews it', () => {
  expect(kinds(having(converged(WANTED), GOOD))).toEqual([]);
  jest.useFakeTimers({ now: Date.now() + 99 * DAY });
  expect(kinds(having(converged(WANTED), GOOD))).toEqual([]);
});

test('without one a front that is as it should be has to ask at once', () => {
  const [step, ...others] = steps(having(converged(WANTED), null));
  expect(others).toEqual([]);
  expect(step?.action).toEqual({
    kind: 'obtain-certificate',
    path: acmeCertificateFile(acme, NAME),
    anew: true,
    endpoints: ENDPOINTS,
  });
  expect(step?.change).toMatchObject({
    from: null,
    to: 'for r.example.com, by acme-v02.api.letsencrypt.org',
  });
});

test('one that has ended, or is for another name, is replaced', () => {
  expect(kinds(having(converged(WANTED), certificate('other.example.com')))).toEqual(['obtain-certificate']);
  jest.useFakeTimers({ now: Date.now() + 101 * DAY });
  const [step] = steps(having(converged(WANTED), GOOD));
  expect(step?.change).toMatchObject({ why: 'it has expired', from: expect.stringContaining(NAME) });
});

test('a bare instance: the front starts, shows by plain HTTP that it is there, and asks by itself', () => {
  const [start, obtain] = steps(BARE).slice(-3);
  expect(start?.action).toMatchObject({
    kind: 'start-containers',
    endpoints: ENDPOINTS.map((each) => ({ ...each, scheme: 'http' })),
  });
  expect(obtain?.action).toMatchObject({ kind: 'obtain-certificate', anew: false, endpoints: ENDPOINTS });
});

test('from plain HTTP: a front that has no port for challenges is not told, and one with it is made', () => {
  const all = steps(having(converged(), null));
  const configure = all.find(({ action }) => action.kind === 'configure-front');
  expect(configure?.action).toMatchObject({ image: 'caddy:2.11.9' });
  const names = all.map(({ action }) => action.kind);
  expect(names.indexOf('start-containers')).toBeLessThan(names.indexOf('obtain-certificate'));
  expect(all.at(-1)?.action).toMatchObject({ kind: 'obtain-certificate', anew: false });
});

test('another name on a front that runs: it takes it as it is', () => {
  const desired: Desired = { ...WANTED, tls: { ...acme, names: ['s.example.com'] } };
  const all = steps(having(converged(WANTED), GOOD), desired);
  expect(all.map(({ action }) => action.kind)).toEqual(['configure-front', 'obtain-certificate']);
  expect(all[0]?.action).toMatchObject({ image: null });
});

test('another image of the front asks for nothing: account and certificate stay', () => {
  const desired: Desired = { ...WANTED, registry: { ...WANTED.registry, frontImage: 'caddy:2' } };
  expect(kinds(having(converged(WANTED), GOOD), desired)).not.toContain('obtain-certificate');
});
