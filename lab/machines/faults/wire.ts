import type { Fault } from './types.ts';

/** Faults of the wire. */
export const WIRE_FAULTS: Readonly<Record<string, Fault>> = {};
