import type { Change, Plan, Step } from '../../../src/converge/change';
import { converge, type Outcome, survey } from '../../../src/converge/converge';
import type { Target, Verdict } from '../../../src/converge/target';
import { fakeLog } from '../google/fakes';

/** The state of a fake target: names of what is there. */
export type Things = readonly string[];

export interface FakeTarget extends Target<Things, Step> {
  /** Names of the steps that were applied, a list for each time. */
  readonly applied: string[][];
  readonly counts: { read: number; waited: number };
  present: Things;
}

/** What happens the n-th time that a plan is applied, from 1; the default is that all of it is carried out. */
export type Applying = (target: FakeTarget, plan: Plan, time: number) => Verdict<Things, Step>;

export const changeOf = (name: string): Change => ({
  target: 'runner',
  what: name,
  from: null,
  to: '',
  why: 'it is wanted',
});

/** Steps whose things are not there yet, in the order of `wanted`. */
const planOf = (wanted: Things, present: Things): Plan => ({
  steps: wanted.filter((name) => !present.includes(name)).map((name) => ({ change: changeOf(name) })),
  notes: [],
});

/** Carries out the first steps of a plan, and says which. */
export function carryOutSome(target: FakeTarget, { steps }: Plan, count = steps.length): readonly Step[] {
  const done = steps.slice(0, count);
  target.present = [...target.present, ...done.map(({ change }) => change.what)];
  return done;
}

/** A target that has to have all the things that are wanted. */
export function fakeTarget(wanted: Things, present: Things, applying?: Applying): FakeTarget {
  const target: FakeTarget = {
    name: 'runner',
    present,
    applied: [],
    counts: { read: 0, waited: 0 },
    async read() {
      target.counts.read += 1;
      return target.present;
    },
    plan: (state) => planOf(wanted, state),
    async apply(_state, plan) {
      target.applied.push(plan.steps.map(({ change }) => change.what));
      return (
        applying?.(target, plan, target.applied.length) ?? {
          kind: 'applied',
          done: carryOutSome(target, plan),
        }
      );
    },
  };
  return target;
}

/** Surveys and converges; time passes only while it sleeps, and `perTry` ms with each try. */
export async function run(
  target: FakeTarget,
  { perTry = 0 } = {},
): Promise<{ outcome: Outcome<Things>; lines: readonly string[]; slept: readonly number[] }> {
  const log = fakeLog();
  const slept: number[] = [];
  const passed = () => slept.reduce((sum, ms) => sum + ms, 0) + perTry * target.applied.length;
  const sleep = async (ms: number) => void slept.push(ms);
  const outcome = await converge(await survey(target, { log, sleep, now: passed }));
  return { outcome, lines: log.lines, slept };
}
