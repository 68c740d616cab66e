import { execFileSync } from 'node:child_process';
import { certificateRows } from '../../../src/health/certificate-rows';
import type { Facts } from '../../../src/instance/facts/facts';
import { SERVER_FILE, type Tls } from '../../../src/instance/plan/certificate-plan';
import { acmeCertificateFile } from '../../../src/instance/stack/acme';

const DAY = 86_400_000;
const NOW = Date.now();
const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const PEM = execFileSync(
  'openssl',
  [
    ...options,
    ...['-days', '100', '-subj', '/CN=x', '-addext', 'subjectAltName=DNS:r.example.com,IP:203.0.113.5'],
    ...['-keyout', '/dev/null'],
  ],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
);
const tls = (name: string): Tls => ({ kind: 'private-ca', names: [name] });
const facts = (text: string | null) =>
  ({ texts: new Map(text === null ? [] : [[SERVER_FILE, text]]) }) as Partial<Facts> as Facts;

test.each<[string, string, string | null, number, string, RegExp]>([
  [
    'a good one',
    '203.0.113.5',
    PEM,
    0,
    'healthy',
    /^for r\.example\.com, 203\.0\.113\.5, for 99 more days, until /,
  ],
  ['one that ends in three weeks', 'r.example.com', PEM, 79, 'degraded', /for 20 more days/],
  ['one that has ended', '203.0.113.5', PEM, 101, 'unhealthy', /^it expired on /],
  ['one for others', 'other.example.com', PEM, 0, 'unhealthy', /^it is for r\.example\.com, .*not for other/],
  ['none', '203.0.113.5', null, 0, 'unhealthy', /^the front has none$/],
  ['a file that is none', '203.0.113.5', 'x', 0, 'unhealthy', /^the front has none$/],
])('%s', (_, host, text, days, state, finding) => {
  expect(certificateRows(tls(host), facts(text), NOW + days * DAY)).toEqual([
    { name: 'Certificate', state, finding: expect.stringMatching(finding) },
  ]);
});

describe('by ACME', () => {
  const acme = { kind: 'acme', directory: 'https://ca.example.com/dir', email: null } as const;
  const rows = (days: number, text: string | null, frontComplaint = '') => {
    const texts = new Map(text === null ? [] : [[acmeCertificateFile(acme, 'r.example.com'), text]]);
    const facts = { texts, frontComplaint } as Partial<Facts> as Facts;
    return certificateRows({ ...acme, names: ['r.example.com'] }, facts, NOW + days * DAY);
  };

  test('what Caddy renews in time is well', () => {
    expect(rows(60, PEM)).toEqual([
      { name: 'Certificate', state: 'healthy', finding: expect.stringContaining('for 39 more days') },
    ]);
  });

  test('a renewal that is overdue, with what the authority said', () => {
    const [row] = rows(75, PEM, 'HTTP 429 urn:ietf:params:acme:error:rateLimited - too many');
    expect(row).toMatchObject({ state: 'degraded' });
    expect(row?.finding).toMatch(
      /for 24 more days.*renewal is overdue \(the last try: HTTP 429 .*too many\)$/,
    );
    expect(rows(98.5, PEM)[0]?.finding).toMatch(/for 35 more hours.*overdue$/);
  });

  test('none, or one that has ended', () => {
    expect(rows(0, null, 'x')).toMatchObject([
      { state: 'unhealthy', finding: 'the front has none (the last try: x)' },
    ]);
    expect(rows(101, PEM)).toMatchObject([
      { state: 'unhealthy', finding: expect.stringMatching(/^it expired on/) },
    ]);
  });
});

test('without TLS there is no row', () => {
  expect(certificateRows({ kind: 'none' }, facts(PEM), NOW)).toEqual([]);
});
