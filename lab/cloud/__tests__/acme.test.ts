import { expect, test } from '@jest/globals';
import { AcmeAuthority } from '../acme/authority.ts';
import { UpstreamFaults } from '../front/faults.ts';

/** An order in the form of a JWS, whose signature is for pebble to look at. */
function order(type: string, value: string, profile?: string) {
  const payload = Buffer.from(JSON.stringify({ identifiers: [{ type, value }], profile })).toString(
    'base64url',
  );
  return {
    method: 'POST',
    url: new URL('https://acme-v02.api.letsencrypt.org/order-plz'),
    headers: {},
    body: Buffer.from(JSON.stringify({ protected: '', payload, signature: '' })),
    peer: '198.18.1.20',
  };
}

/** Nothing listens where pebble should be. */
function authority() {
  const faults = new UpstreamFaults();
  return { faults, acme: new AcmeAuthority(async () => ({ port: 1, crossSigned: '' }), faults) };
}

test('an address gets nothing but by the profile for addresses, and every order is noted', async () => {
  const { acme } = authority();
  const refused = await acme.handle(order('ip', '198.18.1.20'));
  expect(refused.status).toBe(400);
  expect(JSON.parse(String(refused.body)).type).toBe('urn:ietf:params:acme:error:rejectedIdentifier');
  expect((await acme.handle(order('ip', '198.18.1.20', 'shortlived'))).status).toBe(502);
  expect((await acme.handle(order('dns', 'a.example.com'))).status).toBe(502);
  expect(acme.orders).toEqual([
    { identifiers: [{ type: 'ip', value: '198.18.1.20' }], profile: null, status: 400 },
    { identifiers: [{ type: 'ip', value: '198.18.1.20' }], profile: 'shortlived', status: 502 },
    { identifiers: [{ type: 'dns', value: 'a.example.com' }], profile: null, status: 502 },
  ]);
});

test('beyond its limit it answers as Let’s Encrypt does', async () => {
  const { acme, faults } = authority();
  faults.set('acme-rate-limit', true);
  const reply = await acme.handle(order('dns', 'a.example.com'));
  expect(reply.status).toBe(429);
  expect(reply.headers).toMatchObject({
    'content-type': 'application/problem+json',
    'retry-after': '118800',
  });
  expect(JSON.parse(String(reply.body)).detail).toMatch(
    /retry after \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: see https/,
  );
});
