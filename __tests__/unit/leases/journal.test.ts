import { Journal, readJournal } from '../../../src/leases/journal';
import { FakeState } from './example';

const EXPIRES = '2026-01-01T00:00:00.000Z';
const record = (kind: string, more = {}) => ({ kind, expires: EXPIRES, ...more });

test('a record is in the state from when it is noted until it ends', () => {
  const state = new FakeState();
  const journal = new Journal(state);
  const first = journal.note(record('first', { settled: false }));
  const second = journal.note(record('second'));
  expect(state.records).toEqual([record('first', { settled: false }), record('second')]);
  first.change({ settled: true } as never);
  expect(state.records).toEqual([record('first', { settled: true }), record('second')]);
  second.end();
  second.end();
  expect(state.records).toEqual([record('first', { settled: true })]);
  expect(readJournal(state)).toEqual([record('first', { settled: true })]);
  expect([...state.values.keys()]).toEqual(['leases']);
});

test('what is too much for GitHub to pass on is refused, and what was noted before stays', () => {
  const state = new FakeState();
  const journal = new Journal(state);
  const small = journal.note(record('small'));
  expect(() => journal.note(record('large', { text: 'x'.repeat(31_000) }))).toThrow('Too much to undo');
  expect(() => small.change({ text: 'x'.repeat(31_000) } as never)).toThrow('Too much to undo');
  expect(state.records).toEqual([record('small')]);
  journal.note(record('another'));
  expect(state.records).toHaveLength(2);
  expect(Math.max(...state.history.map(({ length }) => length))).toBeLessThan(30_000);
});

test.each([
  ['', []],
  ['[]', []],
  ['null', null],
  ['{', null],
  ['"text"', null],
  ['[1, null]', [1, null]],
])('state %j holds %j', (text, expected) => {
  expect(readJournal({ get: () => text })).toEqual(expected);
});
