/** Waits; given as an argument wherever something waits, so that tests do not. */
export type Sleep = (ms: number) => Promise<void>;
