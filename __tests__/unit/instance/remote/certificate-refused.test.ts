import { stepFailed } from '../../../../src/instance/remote/step-failed';

const ACTION = { kind: 'obtain-certificate', path: '/x', anew: true, endpoints: [] } as const;
const failed = (...lastLines: string[]) =>
  stepFailed(ACTION, 'certificate of the front', { step: 0, status: 1, lastLines }, 0);
const said = (text: string) => failed(`The front got no certificate: ${text}`);

// As Caddy logs what Let's Encrypt (Boulder) and pebble answered.
test.each([
  [
    'HTTP 429 urn:ietf:params:acme:error:rateLimited - too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2026-11-29 07:31:46 UTC: see https://letsencrypt.org/docs/rate-limits/',
    'Certificate authority limits requests',
    /Wait until 2026-11-29 07:31:46 UTC, and run again/,
  ],
  [
    'HTTP 429 urn:ietf:params:acme:error:rateLimited - Service busy; retry later.',
    'Certificate authority limits requests',
    /Wait until the limit ends, and run again/,
  ],
  [
    'HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.5: Fetching http://r.example.com/.well-known/acme-challenge/x: Timeout during connect (likely firewall problem)',
    'Certificate authority cannot verify the address',
    /likely firewall problem/,
  ],
  [
    'HTTP 400 urn:ietf:params:acme:error:dns - DNS problem: NXDOMAIN looking up A for r.example.com',
    'Certificate authority cannot verify the address',
    /NXDOMAIN/,
  ],
  [
    'HTTP 403 urn:ietf:params:acme:error:unauthorized - 203.0.113.9: Invalid response from http://r.example.com/.well-known/acme-challenge/x: 404',
    'Certificate authority cannot verify the address',
    /Invalid response/,
  ],
  [
    'HTTP 400 urn:ietf:params:acme:error:rejectedIdentifier - Cannot issue for \\"r.example.com\\": The ACME server refuses to issue a certificate for this domain name, because it is forbidden by policy',
    'Certificate authority refuses',
    /forbidden by policy/,
  ],
  [
    'HTTP 403 urn:ietf:params:acme:error:caa - CAA record for r.example.com prevents issuance',
    'Certificate authority refuses',
    /CAA record/,
  ],
  [
    'HTTP 0 urn:acme:error:serverInternal - The service is down for maintenance or had an internal error.',
    'Certificate authority not reachable',
    /down for maintenance/,
  ],
  [
    'registering account [] with server: provisioning client: performing request: Get \\"https://acme-v02.api.letsencrypt.org/directory\\": dial tcp: i/o timeout',
    'Certificate authority not reachable',
    /i\/o timeout/,
  ],
])('%s', (text, title, rest) => {
  const { message } = said(text);
  expect(message.startsWith(`${title}: setting up the instance: certificate of the front: `)).toBe(true);
  expect(message).toMatch(rest);
});

test('the last word counts, and without one the front goes on', () => {
  const last = failed(
    'The front got no certificate: HTTP 429 urn:ietf:params:acme:error:rateLimited - x',
    'The front got no certificate: HTTP 400 urn:ietf:params:acme:error:dns - y',
  );
  expect(last.message).toMatch(/^Certificate authority cannot verify/);
  expect(failed('The front has no certificate after 120 s').message).toMatch(
    /^No certificate yet: .*after 120 s/,
  );
  expect(failed().message).toMatch(/^No certificate yet: .*ended with status 1/);
});
