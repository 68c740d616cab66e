import type { Instance } from '../../../src/google/compute';
import { registryAddress } from '../../../src/modes/registry-address';
import { readSettings } from '../../../src/settings/read';

const VM = {
  name: 'web-1',
  externalIp: '203.0.113.5',
  internalIp: '10.0.0.2',
  externalIpv6: '2001:db8::5',
  internalIpv6: null,
} as Instance;

function address(values: Record<string, string>, vm: Instance | null = VM) {
  const all: Record<string, string> = { zone: 'a', instance: 'web-1', image: 'app', ...values };
  return registryAddress(
    readSettings((name) => all[name] ?? '', undefined),
    vm,
  );
}

test('the registry is known by registry-host and by every address of the instance', () => {
  expect(address({ 'registry-host': 'r.example.com', 'registry-port': '5001' }).names).toEqual([
    'r.example.com:5001',
    '203.0.113.5:5001',
    '10.0.0.2:5001',
    '[2001:db8::5]:5001',
  ]);
  expect(address({}).names[0]).toBe('203.0.113.5:5000');
});

test.each(['app:1', '203.0.113.5:5000/app:1', '10.0.0.2:5000/app:1', '[2001:db8::5]:5000/app:1'])(
  'a target %s is of this registry',
  (tags) => {
    expect(() => address({ tags })).not.toThrow();
  },
);

test('one of another registry is refused by name, before anything is changed', () => {
  expect(() => address({ tags: '203.0.113.6:5000/app:1' })).toThrow(
    'Invalid input: reading `tags`: "203.0.113.6:5000/app:1" names another registry than 203.0.113.5:5000',
  );
  const named = { 'registry-host': 'r.example.com', tags: '203.0.113.5:5000/app:1' };
  expect(() => address(named, null)).toThrow('another registry than r.example.com:5000');
});

test('where nothing is pushed, tags are not looked at', () => {
  expect(() => address({ mode: 'health-check', tags: '203.0.113.6:5000/app:1' })).not.toThrow();
});
