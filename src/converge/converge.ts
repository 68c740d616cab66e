import { ActionError } from '../errors';
import type { Log } from '../log';
import type { Change, Plan, Step, TargetName } from './change';
import { describeChange } from './describe';

/** Something that is read, planned and changed: the firewall, the instance, the runner. */
export interface Target<State, S extends Step> {
  readonly name: TargetName;
  /** Reads the present state. Changes nothing. */
  read(): Promise<State>;
  /** What would change, from the state alone: pure. Throws an ActionError for what no step can mend. */
  plan(state: State): Plan<S>;
  /** Carries out the steps, in order, and returns the state read again afterwards. */
  apply(plan: Plan<S>): Promise<State>;
}

/** What came of converging one target. */
export interface Outcome<State> {
  readonly state: State;
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
}

/**
 * read → plan → print → apply → read again → the plan must now be empty.
 *
 * With `dryRun` it stops after print. The last step is the proof of convergence, made on every run that changed
 * something.
 *
 * @throws ActionError `Not converged` when the plan is not empty after it was applied.
 */
export async function converge<State, S extends Step>(
  target: Target<State, S>,
  options: { dryRun: boolean; log: Log },
): Promise<Outcome<State>> {
  const state = await target.read();
  const plan = target.plan(state);
  printPlan(target.name, plan, options.log);
  const changes = plan.steps.map((step) => step.change);
  if (options.dryRun || changes.length === 0) return { state, changes, notes: plan.notes };

  const after = await target.apply(plan);
  const [left] = target.plan(after).steps;
  if (left !== undefined) {
    throw new ActionError('Not converged', {
      doing: `checking the ${target.name} after changing it`,
      happened: `it would still change: ${describeChange(left.change)}`,
      next: 'Run again with debug logging, and look for something else that manages the same thing',
    });
  }
  return { state: after, changes, notes: plan.notes };
}

/** Logs a plan, one line a change. */
export function printPlan(name: TargetName, plan: Plan, log: Log): void {
  for (const note of plan.notes) log.info(`${name}: ${note}`);
  if (plan.steps.length === 0) log.info(`${name}: nothing to change`);
  for (const { change } of plan.steps) log.info(`${name}: ${describeChange(change)}`);
}
