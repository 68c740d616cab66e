import type { Fault } from './types.ts';

/** Faults of Docker Hub and Docker's repository. */
export const UPSTREAM_FAULTS: Readonly<Record<string, Fault>> = {};
