import type { Fault } from './types.ts';

/** Faults of an instance. */
export const INSTANCE_FAULTS: Readonly<Record<string, Fault>> = {};
