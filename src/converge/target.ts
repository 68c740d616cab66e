import type { Plan, Step, TargetName } from './change';

/**
 * Something that is read, planned and changed: the firewall, the instance, the runner. A target remembers nothing and
 * tries nothing twice: what follows from a verdict is for `converge` to decide.
 */
export interface Target<State, S extends Step> {
  readonly name: TargetName;
  /** Reads the present state. Changes nothing. */
  read(): Promise<State>;
  /** Whether somebody else was changing it while it was read, so that the state is a mixture. */
  isBusy?(state: State): boolean;
  /** Waits until nobody else changes it, and reads it then. Changes nothing. */
  wait?(): Promise<State>;
  /** What would change, from the state alone: pure. Throws an ActionError for what no step can mend. */
  plan(state: State): Plan<S>;
  /** Carries out the steps of a plan, which was made from this state. Throws for what another try does not mend. */
  apply(state: State, plan: Plan<S>): Promise<Verdict<State, S>>;
}

/**
 * What came of applying a plan. `state` is the state afterwards, where the target has it for free; `done` are the
 * steps that this run, and nobody else, has carried out.
 */
export type Verdict<State, S extends Step> =
  | { readonly kind: 'applied'; readonly done: readonly S[]; readonly state?: State }
  /** Somebody changed it since it was read: the plan was not carried out, or only the steps in `done`. */
  | { readonly kind: 'outdated'; readonly done?: readonly S[]; readonly state?: State }
  /** The connection was lost, and nobody knows how far the plan got. */
  | { readonly kind: 'lost'; readonly cause: Error }
  /** Carried out, and changed by somebody else since: the later change stands. */
  | { readonly kind: 'overtaken'; readonly done: readonly S[]; readonly state?: State };
