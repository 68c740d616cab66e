import type { Log } from '../job/log';
import { ActionError } from '../values/errors';
import type { Change, Plan, Step, TargetName } from './change';
import { describeChange } from './describe';

/** Something that is read, planned and changed: the firewall, the instance, the runner. */
export interface Target<State, S extends Step> {
  readonly name: TargetName;
  /** Reads the present state. Changes nothing. */
  read(): Promise<State>;
  /** What would change, from the state alone: pure. Throws an ActionError for what no step can mend. */
  plan(state: State): Plan<S>;
  /** Carries out the steps, in order, and reads the state again afterwards. */
  apply(plan: Plan<S>): Promise<Applied<State, S>>;
}

/** What came of a plan. */
export interface Applied<State, S extends Step> {
  readonly state: State;
  /** What was carried out in the end: less than was asked for where another run did it meanwhile, or something else. */
  readonly plan: Plan<S>;
  /** Somebody else changed it after that, which the target has said: the later change stands. */
  readonly overtaken?: boolean;
}

/** A target that was read, and what it takes to make it as it should be. */
export interface Survey<State, S extends Step> {
  readonly target: Target<State, S>;
  readonly state: State;
  readonly plan: Plan<S>;
}

/** What came of converging one target. */
export interface Outcome<State> {
  readonly state: State;
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
}

/** read → plan → print. Changes nothing; what no step can mend is thrown here. */
export async function survey<State, S extends Step>(
  target: Target<State, S>,
  log: Log,
): Promise<Survey<State, S>> {
  const state = await target.read();
  const plan = target.plan(state);
  printPlan(target.name, plan, log);
  return { target, state, plan };
}

/** What a survey found, as the outcome of a run that changes nothing. */
export function asPlanned<State>({ state, plan }: Applied<State, Step>): Outcome<State> {
  return { state, changes: plan.steps.map((step) => step.change), notes: plan.notes };
}

/**
 * apply → read again → the plan must now be empty: the proof of convergence, made on every run that changed something.
 *
 * @throws ActionError `Not converged` when the plan is not empty after it was applied.
 */
export async function carryOut<State, S extends Step>(surveyed: Survey<State, S>): Promise<Outcome<State>> {
  const { target, plan } = surveyed;
  if (plan.steps.length === 0) return asPlanned(surveyed);
  const after = await target.apply(plan);
  const [left] = target.plan(after.state).steps;
  if (left !== undefined && !after.overtaken) {
    throw new ActionError('Not converged', {
      doing: `checking the ${target.name} after changing it`,
      happened: `it would still change: ${describeChange(left.change)}`,
      next: 'Run again with debug logging, and look for something else that manages the same thing',
    });
  }
  return asPlanned(after);
}

/** Logs a plan, one line a change. */
export function printPlan(name: TargetName, plan: Plan, log: Log): void {
  for (const note of plan.notes) log.info(`${name}: ${note}`);
  if (plan.steps.length === 0) log.info(`${name}: nothing to change`);
  for (const { change } of plan.steps) log.info(`${name}: ${describeChange(change)}`);
}
