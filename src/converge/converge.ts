import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import { ActionError } from '../values/errors';
import type { Change, Plan, Step, TargetName } from './change';
import { describeChange } from './describe';
import { readSettled } from './read';
import { Reconnects } from './reconnects';
import type { Target, Verdict } from './target';

/** How long a run goes on trying while others change the same target before it does. */
const OUTDATED_LIMIT_MS = 15 * 60_000;
/** Plans that may be out of date before they are carried out: enough for a few dozen runs that meet. */
const OUTDATED_LIMIT = 100;
/** Longest pause before another try; the pauses are random, so that runs which met do not meet again. */
const PAUSE_MS = 500;

/** What converging needs besides the target. */
export interface Tools {
  readonly log: Log;
  readonly sleep: Sleep;
  /** Milliseconds since 1970; by default those of this machine. */
  readonly now?: () => number;
}

/** A target that was read, and what it takes to make it as it should be. */
export interface Survey<State, S extends Step> {
  readonly target: Target<State, S>;
  readonly state: State;
  readonly plan: Plan<S>;
  readonly tools: Tools;
  /** Losses of the connection are counted from the first reading on. */
  readonly reconnects: Reconnects;
}

/** What came of converging one target. */
export interface Outcome<State> {
  readonly state: State;
  /** What it was before this run changed something of it, if it did. */
  readonly before: State;
  /** What this run changed, and nobody else. */
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
}

/** read → plan → print. Changes nothing; what no step can mend is thrown here. */
export async function survey<State, S extends Step>(
  target: Target<State, S>,
  tools: Tools,
): Promise<Survey<State, S>> {
  const reconnects = new Reconnects(tools.log);
  const state = await readSettled(target, tools.log, reconnects);
  const plan = target.plan(state);
  printPlan(target.name, plan, tools.log);
  return { target, state, plan, tools, reconnects };
}

/** What a survey found, as the outcome of a run that changes nothing. */
export function asPlanned<State>({
  state,
  plan,
}: Pick<Survey<State, Step>, 'state' | 'plan'>): Outcome<State> {
  return { state, before: state, changes: plan.steps.map((step) => step.change), notes: plan.notes };
}

/**
 * apply → read again → the plan must now be empty: the proof of convergence, made on every run that changed something.
 * Applies again where the verdict calls for it: a plan that was out of date, a lost connection, and once where what was
 * done did not last.
 *
 * @throws ActionError `Not converged` when the plan is still not empty, `Changed by others all the time`
 */
export async function converge<State, S extends Step>(surveyed: Survey<State, S>): Promise<Outcome<State>> {
  const { target, reconnects } = surveyed;
  const { log } = surveyed.tools;
  const done: Change[] = [];
  const limits = new Limits(target.name, surveyed.tools);
  let { state, plan } = surveyed;
  let before = state;
  while (plan.steps.length > 0) {
    const verdict = await target.apply(state, plan);
    if (verdict.kind === 'lost') reconnects.allow(verdict.cause, 'reading what is done, and doing the rest');
    state = stateOf(verdict) ?? (await readSettled(target, log, reconnects));
    const left = target.plan(state);
    addChanges(done, doneBy(verdict, plan, left));
    if (done.length === 0) before = state;
    if (left.steps.length === 0) break;
    if (verdict.kind === 'overtaken') {
      warnOfLaterChange(target.name, left, log);
      break;
    }
    if (verdict.kind === 'applied') limits.repeat(left);
    if (verdict.kind === 'outdated') await limits.another();
    if (summarise(left) !== summarise(plan)) printPlan(target.name, left, log);
    plan = left;
  }
  return { state, before, changes: done, notes: surveyed.plan.notes };
}

/** How often, and how long, a plan is tried again. */
class Limits {
  private repeated = false;
  private outdated = 0;
  private readonly started: number;
  private readonly name: TargetName;
  private readonly tools: Tools;

  constructor(name: TargetName, tools: Tools) {
    this.name = name;
    this.tools = tools;
    this.started = this.now();
  }

  /** After a plan that was carried out, and something is `left`: that is tried once more. */
  repeat({ steps }: Plan): void {
    const [first] = steps;
    if (this.repeated && first !== undefined) throw notConverged(this.name, first.change);
    this.repeated = true;
    this.tools.log.info(
      `Somebody else changed the ${this.name} at the same time: what they undid is done once more`,
    );
  }

  /** After a plan that was out of date: pauses before another try. */
  async another(): Promise<void> {
    this.outdated += 1;
    if (this.outdated >= OUTDATED_LIMIT || this.now() - this.started > OUTDATED_LIMIT_MS) {
      throw alwaysOutdated(this.name, this.outdated);
    }
    await this.tools.sleep(Math.round(Math.random() * PAUSE_MS));
  }

  private now(): number {
    return (this.tools.now ?? Date.now)();
  }
}

function stateOf<State>(verdict: Verdict<State, Step>): State | undefined {
  return verdict.kind === 'lost' ? undefined : verdict.state;
}

/** After a loss, what is not `left` to do was done. */
function doneBy(verdict: Verdict<unknown, Step>, plan: Plan, left: Plan): Change[] {
  if (verdict.kind !== 'lost') return (verdict.done ?? []).map(({ change }) => change);
  const remaining = new Set(left.steps.map(({ change }) => change.what));
  return plan.steps.map(({ change }) => change).filter(({ what }) => !remaining.has(what));
}

/** What was done once more, because somebody undid it, is one change. */
function addChanges(done: Change[], more: readonly Change[]): void {
  const before = done.map(describeChange);
  done.push(...more.filter((change) => !before.includes(describeChange(change))));
}

function summarise({ steps }: Plan): string {
  return steps.map(({ change }) => describeChange(change)).join('\n');
}

/** Logs a plan, one line a change; what takes access away as a warning. */
function printPlan(name: TargetName, plan: Plan, log: Log): void {
  for (const note of plan.notes) log.info(`${name}: ${note}`);
  if (plan.steps.length === 0) log.info(`${name}: nothing to change`);
  for (const { change } of plan.steps) {
    const line = `${name}: ${describeChange(change)}`;
    if (change.takesAccess)
      log.warning(`${line}. Who was admitted by that alone cannot reach the registry any more`);
    else log.info(line);
  }
}

function warnOfLaterChange(name: TargetName, { steps }: Plan, log: Log): void {
  for (const { change } of steps) {
    log.warning(
      `Another run, or a person, changed the ${name} after this run, and the later change stands. ` +
        `What this run wanted: ${describeChange(change)}`,
    );
  }
}

function notConverged(name: TargetName, left: Change): ActionError {
  return new ActionError('Not converged', {
    doing: `checking the ${name} after changing it`,
    happened: `it would still change: ${describeChange(left)}`,
    next: 'Run again with debug logging, and look for something else that manages the same thing',
  });
}

function alwaysOutdated(name: TargetName, times: number): ActionError {
  return new ActionError('Changed by others all the time', {
    doing: `changing the ${name}`,
    happened: `${times} times somebody else changed it between reading and changing it`,
    next: 'Give the jobs a common `concurrency` group, and look for other software that manages the same thing',
  });
}
