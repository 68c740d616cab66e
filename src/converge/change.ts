/** The things that a run converges. */
export type TargetName = 'machine' | 'firewall' | 'instance' | 'runner';

/** One difference between what is and what should be, as shown in the log, the summary and the output. */
export interface Change {
  readonly target: TargetName;
  /** What differs: `rule web-1-registry`, `package docker-ce`. */
  readonly what: string;
  /** What it is now; null when it does not exist. */
  readonly from: string | null;
  /** What it is to be; null when it is to be removed. */
  readonly to: string | null;
  /** Why, as a clause that completes "because …". */
  readonly why: string;
  /** Somebody who could reach the registry cannot any more: shown as a warning, and before all other changes. */
  readonly takesAccess?: true;
}

/** A change together with what carries it out. */
export interface Step {
  readonly change: Change;
}

/** What a target would do; pure data, made from its state alone. */
export interface Plan<S extends Step = Step> {
  readonly steps: readonly S[];
  /** Remarks that change nothing: other rules that open the ports, an engine of another origin that is kept. */
  readonly notes: readonly string[];
}
