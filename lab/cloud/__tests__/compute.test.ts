import { describe, expect, test } from '@jest/globals';
import { ApiError } from '../compute/errors.ts';
import { compileFilter } from '../compute/filter.ts';
import { isBase64, isSameFingerprint } from '../compute/fingerprint.ts';
import { checkFirewall } from '../compute/firewall-check.ts';
import { mergePatch } from '../compute/merge-patch.ts';
import { checkMessage } from '../compute/message-types.ts';
import { page } from '../compute/paging.ts';
import { checkCidr } from '../compute/values.ts';

describe('mergePatch', () => {
  test.each([
    [{ a: 1, b: 2 }, { b: 3 }, { a: 1, b: 3 }],
    [{ a: 1 }, { a: null }, {}],
    [{ a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
    [{ a: [1, 2] }, { a: [] }, { a: [] }],
    [{ a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
    [{ a: 1 }, {}, { a: 1 }],
  ])('%j with %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });
});

describe('compileFilter', () => {
  const network = 'https://www.googleapis.com/compute/v1/projects/p/global/networks/default';
  const rule = {
    name: 'allow-5000',
    network,
    priority: 1000,
    allowed: [{ IPProtocol: 'tcp', ports: ['5000'] }],
  };
  test.each([
    ['name = allow-5000', true],
    ['name=allow', false],
    ['name = allow-*', true],
    ['name != other', true],
    [`network = "${network}"`, true],
    [`network=${network}`, true],
    ['network = default', false],
    ['network:default', true],
    ['name eq "allow-.*"', true],
    ['name eq allow', false],
    ['name ne allow', true],
    ['(name = x) OR (priority = 1000)', true],
    ['(name = allow-5000) (priority = 1)', false],
    ['name = allow-5000 AND NOT priority = 1', true],
    ['-name = allow-5000', false],
    ['allowed.ports:5000', true],
    ['allowed.IPProtocol = udp', false],
  ])('%s: %s', (filter, expected) => {
    expect(compileFilter(filter)(rule)).toBe(expected);
  });

  test.each(['name', 'name =', '= x', '(name = x', 'name = x)', 'name ~ x', 'name eq "("'])(
    'refuses %s',
    (filter) => {
      expect(() => compileFilter(filter)).toThrow(/Invalid list filter expression/);
    },
  );
});

describe('checkMessage', () => {
  test.each<[string, unknown, string[]]>([
    [
      'Firewall',
      { name: 'x', priority: '1000', disabled: false, allowed: [{ IPProtocol: 'tcp', ports: ['1'] }] },
      [],
    ],
    [
      'Firewall',
      { sourceRange: [] },
      ['Invalid JSON payload received. Unknown name "sourceRange": Cannot find field.'],
    ],
    [
      'Firewall',
      { allowed: [{ IPProtocol: 'tcp', port: '1' }] },
      ['Invalid JSON payload received. Unknown name "port" at \'allowed[0]\': Cannot find field.'],
    ],
    ['Firewall', { priority: 'high' }, ['Invalid value at \'priority\' (TYPE_INT32), "high"']],
    ['Firewall', { disabled: 'false' }, ['Invalid value at \'disabled\' (TYPE_BOOL), "false"']],
    [
      'Firewall',
      { allowed: [{ ports: [80] }] },
      ["Invalid value at 'allowed[0].ports[0]' (TYPE_STRING), 80"],
    ],
    [
      'Firewall',
      { sourceRanges: '10.0.0.0/8' },
      ['Invalid value at \'sourceRanges\' (repeated string), "10.0.0.0/8"'],
    ],
    ['Firewall', { sourceRanges: null }, []],
    [
      'Firewall',
      { toString: 1 },
      ['Invalid JSON payload received. Unknown name "toString": Cannot find field.'],
    ],
  ])('%s %j', (type, value, expected) => {
    expect(checkMessage(type, value)).toEqual(expected);
  });
});

describe('checkCidr', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.0.2.1', '192.0.2.1/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::/0', '::/0'],
    ['2001:db8::1', '2001:db8::1/128'],
  ])('%s', (value, expected) => {
    expect(checkCidr('f', value)).toBe(expected);
  });

  test.each([
    ...[
      '10.0.0.1/8',
      '10.0.0.0/33',
      '10.0.0/8',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      '2001:db8::1/32',
      '::1/0',
      'x',
      '',
    ],
    ...['1.2.3.4/-1', '::ffff:1.2.3.4/96'],
  ])('refuses %s', (value) => {
    expect(() => checkCidr('f', value)).toThrow(/Invalid value for field 'f'/);
  });
});

describe('checkFirewall', () => {
  const valid = { name: 'x', allowed: [{ IPProtocol: 'tcp', ports: ['5000'] }] };

  test('fills in what Google fills in', () => {
    expect(checkFirewall(valid, 'p')).toMatchObject({
      direction: 'INGRESS',
      priority: 1000,
      sourceRanges: ['0.0.0.0/0'],
      network: { project: 'p', name: 'default' },
      disabled: false,
    });
  });

  test('a rule with source tags admits nobody else', () => {
    expect(checkFirewall({ ...valid, sourceTags: ['a'] }, 'p').sourceRanges).toEqual([]);
  });

  test.each([
    [{ ...valid, name: 'X' }, /resource\.name/],
    [{ ...valid, name: 'a'.repeat(64) }, /resource\.name/],
    [{ name: 'x' }, /Exactly one of/],
    [{ ...valid, denied: [{ IPProtocol: 'tcp' }] }, /Exactly one of/],
    [{ ...valid, priority: 65536 }, /resource\.priority/],
    [{ ...valid, targetTags: ['-a'] }, /resource\.targetTags\[0\]/],
    [{ ...valid, sourceRanges: ['10.0.0.0/8', '2001:db8::/32'] }, /cannot be mixed/],
    [
      { ...valid, sourceRanges: Array.from({ length: 257 }, (_, i) => `10.0.${i % 256}.${i >> 8}/32`) },
      /Maximum is 256/,
    ],
    [{ ...valid, allowed: [{ IPProtocol: 'tcp', ports: ['70000'] }] }, /ports\[0\]/],
    [{ ...valid, allowed: [{ IPProtocol: 'tcp', ports: ['9-1'] }] }, /ports\[0\]/],
    [{ ...valid, allowed: [{ IPProtocol: 'icmp', ports: ['1'] }] }, /ports\[0\]/],
    [{ ...valid, allowed: [{ IPProtocol: 'TCP' }] }, /Must be one of \["ah", "all"/],
    [{ ...valid, network: 'projects/other/global/networks/default' }, /Cross project/],
    [{ ...valid, network: 'default' }, /malformed/],
  ])('refuses %j', (resource, message) => {
    expect(() => checkFirewall(resource, 'p')).toThrow(ApiError);
    expect(() => checkFirewall(resource, 'p')).toThrow(message);
  });
});

describe('page', () => {
  const resources = ['c', 'a', 'b'].map((name) => ({ name }));

  test('walks through a list that changes', () => {
    const first = page(resources, new URLSearchParams({ maxResults: '1' }));
    expect(first.items).toEqual([{ name: 'a' }]);
    const query = new URLSearchParams({ maxResults: '2', pageToken: String(first.nextPageToken) });
    expect(page([...resources, { name: 'aa' }], query)).toMatchObject({
      items: [{ name: 'aa' }, { name: 'b' }],
    });
    expect(page(resources, query)).toEqual({ items: [{ name: 'b' }, { name: 'c' }] });
  });

  test.each([{ maxResults: '501' }, { maxResults: '-1' }, { pageToken: '!' }])('refuses %j', (query) => {
    expect(() => page(resources, new URLSearchParams(query))).toThrow(ApiError);
  });
});

test('fingerprints are compared as bytes', () => {
  expect(isSameFingerprint('v-7Kt2LeRLI=', 'v+7Kt2LeRLI=')).toBe(true);
  expect(isSameFingerprint(undefined, 'v+7Kt2LeRLI=')).toBe(false);
  expect(isBase64('42WmSpB8rSM=')).toBe(true);
  expect(isBase64('42WmSpB8rSN=')).toBe(false);
});
