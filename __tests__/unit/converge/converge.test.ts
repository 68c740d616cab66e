import type { Change, Step } from '../../../src/converge/change';
import { asPlanned, carryOut, survey, type Target } from '../../../src/converge/converge';
import { describeChange } from '../../../src/converge/describe';
import type { Log } from '../../../src/job/log';

const change: Change = { target: 'runner', what: 'count', from: '1', to: '2', why: 'two are needed' };

/**
 * A target whose state is a number that should be 2; `reach` is what applying makes of it, and `done` how many of the
 * steps that took.
 */
function counter(start: number, reach: number, done = 1): Target<number, Step> & { applied: number } {
  return {
    name: 'runner',
    applied: 0,
    read: async () => start,
    plan: (state) => ({ steps: state === 2 ? [] : [{ change }], notes: [] }),
    async apply(plan) {
      this.applied += 1;
      return { state: reach, plan: { ...plan, steps: plan.steps.slice(0, done) } };
    },
  };
}

function memoryLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const add = (text: string) => void lines.push(text);
  return {
    lines,
    info: add,
    debug: add,
    notice: add,
    warning: add,
    foreign: add,
    mask: () => undefined,
    group: (_title, work) => work(),
  };
}

test('a state that is right already is not touched', async () => {
  const target = counter(2, 0);
  const log = memoryLog();
  await expect(survey(target, log).then(carryOut)).resolves.toEqual({
    state: 2,
    changes: [],
    notes: [],
  });
  expect(target.applied).toBe(0);
  expect(log.lines).toEqual(['runner: nothing to change']);
});

test('a difference is printed, applied, and read again', async () => {
  const target = counter(1, 2);
  const log = memoryLog();
  await expect(survey(target, log).then(carryOut)).resolves.toMatchObject({
    state: 2,
    changes: [change],
  });
  expect(log.lines).toEqual(['runner: count: 1 → 2, because two are needed']);
});

test('what another run did meanwhile is no change of this one', async () => {
  await expect(survey(counter(1, 2, 0), memoryLog()).then(carryOut)).resolves.toMatchObject({
    state: 2,
    changes: [],
  });
});

test('a survey plans the same and applies nothing', async () => {
  const target = counter(1, 2);
  await expect(survey(target, memoryLog()).then(asPlanned)).resolves.toMatchObject({
    state: 1,
    changes: [change],
  });
  expect(target.applied).toBe(0);
});

test('a plan that is not empty after it was applied is an error that names what is left', async () => {
  await expect(survey(counter(1, 3), memoryLog()).then(carryOut)).rejects.toThrow(
    /^Not converged: .*count: 1 → 2/,
  );
});

test.each([
  [{ from: null, to: 'x' }, 'add count: x, because two are needed'],
  [{ from: null, to: '' }, 'add count, because two are needed'],
  [{ from: 'x', to: null }, 'remove count: x, because two are needed'],
  [{ from: '', to: null }, 'remove count, because two are needed'],
  [{ from: '1', to: '2' }, 'count: 1 → 2, because two are needed'],
])('a change %j reads %j', (ends, text) => {
  expect(describeChange({ ...change, ...ends })).toBe(text);
});
