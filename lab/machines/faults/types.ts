/** Something that goes wrong in the lab, independent of all others. */
export interface Fault {
  /** Names of its arguments, as in `N` or `SECONDS`, in brackets where it may be left out; empty for none. */
  readonly usage: string;
  /** What it does, in a few words, for the usage. */
  readonly what: string;
  /** Turns it on; where it is on, with the new arguments. Throws LabError for arguments that make no sense. */
  start(args: readonly string[], instance: string): Promise<void>;
  /** Turns it off; nothing happens where it is off. */
  end(instance: string): Promise<void>;
}
