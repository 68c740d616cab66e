import fc from 'fast-check';
import { asPlanned, survey } from '../../../src/converge/converge';
import { SshConnectionLost } from '../../../src/ssh/remote-command';
import { ActionError } from '../../../src/values/errors';
import { fakeLog } from '../google/fakes';
import { type Applying, carryOutSome, changeOf, type FakeTarget, fakeTarget, run } from './fake-target';

const lost = new SshConnectionLost('198.51.100.7', undefined);

test('a state that is right already is not touched', async () => {
  const target = fakeTarget(['a'], ['a']);
  const { outcome, lines } = await run(target);
  expect(outcome).toEqual({ state: ['a'], before: ['a'], changes: [], notes: [] });
  expect(target.applied).toEqual([]);
  expect(lines).toEqual(['runner: nothing to change']);
});

test('a survey plans the same and applies nothing', async () => {
  const target = fakeTarget(['a'], []);
  const surveyed = await survey(target, { log: fakeLog(), sleep: async () => undefined });
  expect(asPlanned(surveyed)).toEqual({ state: [], before: [], changes: [changeOf('a')], notes: [] });
  expect(target.applied).toEqual([]);
});

test('a target that somebody else is changing is waited for, and read then', async () => {
  const target: FakeTarget = {
    ...fakeTarget(['a', 'b'], []),
    isBusy: (state) => state.length === 0,
    wait: async () => ['a'],
  };
  const surveyed = await survey(target, { log: fakeLog(), sleep: async () => undefined });
  expect(surveyed.state).toEqual(['a']);
});

describe('applied', () => {
  test('is printed, applied and read again', async () => {
    const target = fakeTarget(['a', 'b'], ['a']);
    const { outcome, lines } = await run(target);
    expect(outcome).toMatchObject({ state: ['a', 'b'], before: ['a'], changes: [changeOf('b')] });
    expect(lines).toEqual(['runner: add b, because it is wanted']);
    expect(target.counts.read).toBe(2);
  });

  test('with the state that the target has already, it is not read again', async () => {
    const target = fakeTarget(['a'], [], (self, plan) => ({
      kind: 'applied',
      done: carryOutSome(self, plan),
      state: self.present,
    }));
    await run(target);
    expect(target.counts.read).toBe(1);
  });

  test('what another run did meanwhile is no change of this one', async () => {
    const target = fakeTarget(['a', 'b'], [], (self, plan) => {
      carryOutSome(self, plan);
      return { kind: 'applied', done: plan.steps.slice(1) };
    });
    expect((await run(target)).outcome.changes).toEqual([changeOf('b')]);
  });

  test('what somebody undid is done once more, said, and one change', async () => {
    const target = fakeTarget(['a', 'b'], [], (self, plan, time) => {
      const done = carryOutSome(self, plan);
      if (time === 1) self.present = ['b'];
      return { kind: 'applied', done };
    });
    const { outcome, lines } = await run(target);
    expect(target.applied).toEqual([['a', 'b'], ['a']]);
    expect(outcome.changes).toEqual([changeOf('a'), changeOf('b')]);
    expect(lines).toContain(
      'Somebody else changed the runner at the same time: what they undid is done once more',
    );
  });

  test('a plan that is not empty after that is an error that names what is left', async () => {
    const target = fakeTarget(['a'], [], (_self, { steps }) => ({ kind: 'applied', done: steps }));
    await expect(run(target)).rejects.toThrow(/^Not converged: checking the runner .*add a/);
    expect(target.applied).toHaveLength(2);
  });
});

describe('outdated', () => {
  test('another plan is made from what is there then; only what this run did is a change', async () => {
    const target = fakeTarget(['a', 'b', 'c'], [], (self, plan, time) => {
      if (time > 1) return { kind: 'applied', done: carryOutSome(self, plan) };
      const done = carryOutSome(self, plan, 1);
      self.present = [...self.present, 'b'];
      return { kind: 'outdated', done };
    });
    const { outcome, lines, slept } = await run(target);
    expect(target.applied).toEqual([['a', 'b', 'c'], ['c']]);
    expect(outcome.changes).toEqual([changeOf('a'), changeOf('c')]);
    expect(lines.at(-1)).toBe('runner: add c, because it is wanted');
    expect(slept).toHaveLength(1);
  });

  test('where the other run did all of it, nothing is left to do', async () => {
    const target = fakeTarget(['a'], [], (self, plan) => {
      carryOutSome(self, plan);
      return { kind: 'outdated', state: self.present };
    });
    expect((await run(target)).outcome).toMatchObject({ state: ['a'], before: ['a'], changes: [] });
  });

  test('before a run is what it found when it began to change something, not what others did until then', async () => {
    const target = fakeTarget(['a', 'b'], [], (self, plan, time) => {
      if (time > 1) return { kind: 'applied', done: carryOutSome(self, plan) };
      self.present = ['a'];
      return { kind: 'outdated', state: self.present };
    });
    expect((await run(target)).outcome).toMatchObject({ state: ['a', 'b'], before: ['a'] });
  });

  const always: Applying = () => ({ kind: 'outdated' });

  test('for ever: an error after 100 plans, whatever the clock says', async () => {
    const target = fakeTarget(['a'], [], always);
    await expect(run(target)).rejects.toThrow(/^Changed by others all the time: .* 100 times/);
  });

  test('for longer than 15 min: an error', async () => {
    const target = fakeTarget(['a'], [], always);
    await expect(run(target, { perTry: 4 * 60_000 })).rejects.toThrow('Changed by others all the time');
    expect(target.applied).toHaveLength(4);
  });
});

describe('lost', () => {
  test('what is done is read, and the rest is done', async () => {
    const target = fakeTarget(['a', 'b', 'c'], [], (self, plan, time) => {
      if (time > 1) return { kind: 'applied', done: carryOutSome(self, plan) };
      carryOutSome(self, plan, 2);
      return { kind: 'lost', cause: lost };
    });
    const { outcome, lines } = await run(target);
    expect(target.applied).toEqual([['a', 'b', 'c'], ['c']]);
    expect(outcome.changes.map(({ what }) => what)).toEqual(['a', 'b', 'c']);
    expect(lines).toContain(
      'The SSH connection to the instance was lost: waiting up to 90 s for a new one (1 of 3), then reading what is done, and doing the rest',
    );
  });

  test('while it is read: read again; the fourth loss of a run is its error, wherever it happens', async () => {
    const target = fakeTarget(['a'], [], () => ({ kind: 'lost', cause: lost }));
    const read = target.read;
    let losses = 2;
    target.read = () => (losses-- > 0 ? Promise.reject(lost) : read());
    await expect(run(target)).rejects.toBe(lost);
    expect(target.applied).toHaveLength(2);
  });

  test('another error while it is read is not tolerated', async () => {
    const target = fakeTarget(['a'], []);
    target.read = () => Promise.reject(new Error('no permission'));
    await expect(run(target)).rejects.toThrow('no permission');
  });
});

test('overtaken: the later change stands, in a warning that says what this run wanted', async () => {
  const target = fakeTarget(['a', 'b'], [], (self, plan) => {
    const done = carryOutSome(self, plan);
    self.present = ['a'];
    return { kind: 'overtaken', done };
  });
  const { outcome, lines } = await run(target);
  expect(outcome).toMatchObject({ state: ['a'], changes: [changeOf('a'), changeOf('b')] });
  expect(target.applied).toHaveLength(1);
  expect(lines.at(-1)).toMatch(/changed the runner after this run, and the later change stands.*add b/);
});

test('whatever happens each time, it ends, and reports no change that this run did not make', async () => {
  const turn = fc.record({
    kind: fc.constantFrom('applied', 'outdated', 'outdated', 'lost', 'overtaken'),
    byThis: fc.nat(3),
    byOthers: fc.nat(1),
    undone: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { maxLength: 150 }), async (turns) => {
      const made = new Set<string>();
      const target = fakeTarget(['a', 'b', 'c'], [], (self, plan, time) => {
        const now = turns[(time - 1) % Math.max(1, turns.length)];
        const done = carryOutSome(self, plan, now?.byThis);
        for (const { change } of done) made.add(change.what);
        if (now === undefined) return { kind: 'applied', done };
        const others = self.plan(self.present).steps.slice(0, now.byOthers);
        self.present = now.undone ? [] : [...self.present, ...others.map(({ change }) => change.what)];
        if (now.kind !== 'lost') return { kind: now.kind as 'applied', done };
        // After a loss nobody can tell the two apart.
        for (const { change } of others) made.add(change.what);
        return { kind: 'lost', cause: lost };
      });
      const changes = await run(target).then(
        ({ outcome }) => outcome.changes,
        (error) => {
          expect(error).toBeInstanceOf(ActionError);
          return [];
        },
      );
      expect(target.applied.length).toBeLessThanOrEqual(106);
      expect(changes.filter(({ what }) => !made.has(what))).toEqual([]);
      expect(new Set(changes.map(({ what }) => what)).size).toBe(changes.length);
    }),
  );
});
