/** Each time that this run is too late, another one was in time: enough for a dozen that come and go at once. */
export const TRIES = 50;
/** Longest pause before another try; the pauses are random, so that runs which met do not meet again. Milliseconds. */
export const PAUSE_MS = 500;
