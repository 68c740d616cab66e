/** What is known of the logins of an instance, and of what a run wants of them. Names alone: nothing secret is in it. */
export interface UsersFacts {
  /** Those that there are: `ann`, `bob (may only pull)`. */
  readonly present: readonly string[];
  /** Those that there are to be, likewise. */
  readonly wanted: readonly string[];
  /** How they differ, as clauses: `another password for ann`. Empty: they do not. */
  readonly differences: readonly string[];
  /** Somebody may not any more what they may now. */
  readonly takesAccess: boolean;
}

/** An instance without logins, for a run that wants none. */
export const NO_USERS: UsersFacts = { present: [], wanted: [], differences: [], takesAccess: false };
