import type { Plan } from '../../converge/change';
import type { Facts } from '../facts/facts';
import { clockSkew } from './clock';
import { daemonSteps } from './daemon-plan';
import type { Desired } from './desired';
import { requireDisk } from './disk-space';
import { engineNotes, engineSteps, repairSteps } from './engine-plan';
import { requireEngine } from './engine-preconditions';
import { firewallNotes } from './host-firewall';
import { portNotes } from './ports';
import { requirePossible } from './preconditions';
import { stackSteps } from './stack-plan';
import type { InstanceStep } from './steps';

/**
 * What is to be done to an instance, in order; from its facts alone.
 *
 * @throws ActionError for what no step can mend (see preconditions.ts and engine-preconditions.ts), `Broken daemon.json`
 */
export function planInstance(desired: Desired, facts: Facts): Plan<InstanceStep> {
  requirePossible(desired, facts);
  requireEngine(desired, facts);
  const steps = [
    ...repairSteps(desired, facts),
    ...daemonSteps(desired, facts),
    ...engineSteps(desired, facts),
    ...stackSteps(desired, facts),
  ];
  const kinds = new Set(steps.map(({ action }) => action.kind));
  requireDisk(facts, {
    install: kinds.has('install-engine') || kinds.has('install-compose'),
    pull: kinds.has('pull-images'),
  });
  return { steps, notes: notesOf(desired, facts) };
}

function notesOf(desired: Desired, facts: Facts): string[] {
  return [
    ...clockNotes(facts),
    ...engineNotes(desired, facts),
    ...portNotes(desired, facts),
    ...firewallNotes(desired, facts),
  ];
}

/** More than the lag of a busy machine. */
const NOTABLE_SKEW_SECONDS = 300;

function clockNotes({ clockAhead }: Facts): string[] {
  if (Math.abs(clockAhead) < NOTABLE_SKEW_SECONDS) return [];
  return [`its clock is ${clockSkew(clockAhead)} this runner's`];
}
