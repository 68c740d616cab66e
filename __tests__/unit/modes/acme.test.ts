import type { Resolved } from '../../../src/job/resolve';
import { acmeName, challengeSources, requireNameOf } from '../../../src/modes/acme';
import { tlsOf } from '../../../src/modes/tls';
import { readSettings } from '../../../src/settings/read';
import { VM } from '../firewall/fixtures';

const both = { ...VM, externalIp: '203.0.113.9', externalIpv6: '2600:1900:4000:318:0:7:0:0' };
const hidden = { ...VM, externalIp: null };
const read = (values: Record<string, string>) => {
  const all: Record<string, string> = {
    zone: 'a',
    instance: 'web-1',
    mode: 'bootstrap',
    tls: 'acme',
    ...values,
  };
  return readSettings((name) => all[name] ?? '', undefined);
};

test('a name as it is given, or the external address', () => {
  expect(acmeName('r.example.com', VM)).toBe('r.example.com');
  expect(acmeName(null, VM)).toBe('203.0.113.9');
  expect(acmeName('[2600:1900:4000:318:0:7:0:0]', both)).toBe('2600:1900:4000:318:0:7::');
  expect(acmeName(null, { ...both, externalIp: null })).toBe('2600:1900:4000:318:0:7::');
  expect(tlsOf(read({ 'registry-host': 'r.example.com' }), VM)).toMatchObject({
    kind: 'acme',
    names: ['r.example.com'],
  });
});

test.each([
  [null, hidden, /^No public address: .*web-1 has no external address.*private-ca/],
  ['r.example.com', hidden, /^No public address: .*no external address/],
  [
    '203.0.113.10',
    VM,
    /^Name does not lead to the instance: .*203\.0\.113\.10 is not the instance's; the external address of web-1 is 203\.0\.113\.9/,
  ],
  [null, { ...VM, externalIp: '10.1.2.3' }, /^No public address: .*10\.1\.2\.3 is a private address/],
])('%s on such an instance is refused', (host, vm, message) => {
  expect(() => acmeName(host, vm)).toThrow(message);
});

describe('where the name leads to', () => {
  const warning = jest.fn();
  const log = { warning } as unknown as Parameters<typeof requireNameOf>[3];
  const check = (found: Resolved, vm = VM) => requireNameOf(vm, 'r.example.com', async () => found, log);
  const addresses = (...list: string[]): Resolved => ({ kind: 'addresses', addresses: list });
  beforeEach(() => warning.mockClear());

  test('to the instance, by each family', async () => {
    await check(addresses('203.0.113.9'));
    await check(addresses('203.0.113.9', '2600:1900:4000:318:0:7::'), both);
    expect(warning).not.toHaveBeenCalled();
  });

  test.each<[Resolved, RegExp]>([
    [
      addresses(),
      /the DNS has no address for r\.example\.com; the external address of web-1 is 203\.0\.113\.9/,
    ],
    [addresses('203.0.113.99'), /r\.example\.com leads to 203\.0\.113\.99; the external address/],
    [addresses('203.0.113.9', '203.0.113.99'), /leads to 203\.0\.113\.9 and 203\.0\.113\.99/],
    [addresses('203.0.113.9', '2001:db8::1'), /leads to 203\.0\.113\.9 and 2001:db8::1/],
    [addresses('10.0.0.2'), /leads to 10\.0\.0\.2/],
  ])('elsewhere: %j', async (found, message) => {
    await expect(check(found)).rejects.toThrow(/^Name does not lead to the instance: /);
    await expect(check(found)).rejects.toThrow(message);
  });

  test('a DNS that cannot be asked is no reason to stop, and an address is not looked up', async () => {
    await check({ kind: 'unknown', why: 'ETIMEOUT' });
    expect(warning).toHaveBeenCalledWith(expect.stringContaining('ETIMEOUT'));
    const resolve = jest.fn();
    await requireNameOf(VM, '203.0.113.9', resolve, log);
    expect(resolve).not.toHaveBeenCalled();
  });
});

test('challenges come from everywhere, over each family that the instance has, and with ACME alone', () => {
  expect(challengeSources(read({}), VM)).toEqual(['0.0.0.0/0']);
  expect(challengeSources(read({}), both)).toEqual(['0.0.0.0/0', '::/0']);
  expect(challengeSources(read({ tls: 'none' }), both)).toEqual([]);
});
