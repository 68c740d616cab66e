import type { Fault } from './types.ts';

/** Faults of Google Cloud. */
export const GOOGLE_FAULTS: Readonly<Record<string, Fault>> = {};
