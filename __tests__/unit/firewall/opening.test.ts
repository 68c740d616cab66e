import fc from 'fast-check';
import { ownerOf } from '../../../src/firewall/identity';
import {
  expiredOpenings,
  isOpening,
  liveOpenings,
  type OpeningRequest,
  openingRule,
} from '../../../src/firewall/opening';
import { rule, VM } from './fixtures';

const NOW = new Date('2026-01-01T00:00:00Z');
const EXPIRES = new Date('2026-01-01T07:00:00Z');
const LATER = new Date(EXPIRES.getTime() + 1);

const REQUEST: OpeningRequest = {
  vm: VM,
  address: '198.51.100.7',
  targetTag: 'web-1-registry',
  ports: [5000, 18080],
  identity: { runId: '1', attempt: '1', unique: 'x' },
  url: 'https://github.com/o/r/actions/runs/1',
  expires: EXPIRES,
};

function opening(changes: Partial<OpeningRequest> = {}) {
  const made = openingRule({ ...REQUEST, ...changes });
  if (made === null) throw new Error('no opening');
  return made;
}

test('admits one address, to the ports, through the tag, in the network of the instance', () => {
  expect(opening()).toMatchObject({
    network: 'projects/host/global/networks/shared',
    sourceRanges: ['198.51.100.7/32'],
    targetTags: ['web-1-registry'],
    allowed: [{ protocol: 'tcp', ports: ['5000', '18080'] }],
  });
  expect(opening({ address: '2001:db8::7' }).sourceRanges).toEqual(['2001:db8::7/128']);
});

test.each(['', '0.0.0.0/0', 'nonsense', '1.2.3.4, 0.0.0.0/0'])('%j opens nothing', (address) => {
  expect(openingRule({ ...REQUEST, address })).toBeNull();
});

test('bears a mark, which is not that of a standing rule', () => {
  expect(isOpening(opening())).toBe(true);
  expect(isOpening(opening({ url: null }))).toBe(true);
  expect(ownerOf(opening(), VM)).toBe('somebody');
});

test('is swept after its time, by a run of the same instance', () => {
  expect(expiredOpenings([opening()], VM, NOW)).toEqual([]);
  expect(expiredOpenings([opening()], VM, EXPIRES)).toEqual([]);
  expect(expiredOpenings([opening()], VM, LATER)).toEqual([opening()]);
  expect(liveOpenings([opening()], VM, EXPIRES)).toEqual([opening()]);
  expect(liveOpenings([opening()], VM, LATER)).toEqual([]);
});

test.each([
  ['of another instance', opening({ vm: { ...VM, name: 'web-2' } })],
  ['of the same name in another zone', opening({ vm: { ...VM, zone: 'europe-west1-c' } })],
  ['of the same name in another project', opening({ vm: { ...VM, project: 'other' } })],
  ['whose description was changed', { ...opening(), description: `${opening().description} keep` }],
  [
    'without an expiry that is a time',
    { ...opening(), description: opening().description.replace(/expires=\S+/, 'expires=x') },
  ],
  ['of another name', { ...opening(), name: 'allow-office' }],
  ['made by hand', rule()],
])('is never swept: a rule %s', (_name, other) => {
  expect(expiredOpenings([other], VM, LATER)).toEqual([]);
});

test('no description that is not ours is taken for one', () => {
  fc.assert(
    fc.property(fc.string(), (description) => {
      expect(expiredOpenings([{ ...opening(), description }], VM, LATER)).toEqual([]);
    }),
  );
});
