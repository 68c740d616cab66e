import { describeChange } from '../../../src/converge/describe';

const change = { target: 'runner', what: 'count', from: '1', to: '2', why: 'two are needed' } as const;

test.each([
  [{ from: null, to: 'x' }, 'add count: x, because two are needed'],
  [{ from: null, to: '' }, 'add count, because two are needed'],
  [{ from: 'x', to: null }, 'remove count: x, because two are needed'],
  [{ from: '', to: null }, 'remove count, because two are needed'],
  [{ from: '1', to: '2' }, 'count: 1 → 2, because two are needed'],
])('a change %j reads %j', (ends, text) => {
  expect(describeChange({ ...change, ...ends })).toBe(text);
});
