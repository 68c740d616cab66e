import type { Plan } from '../../converge/change';
import type { Facts } from '../facts/facts';
import { clockSkew } from './clock';
import { daemonSteps } from './daemon-plan';
import type { Desired } from './desired';
import { engineOrigin, engineSteps } from './engine-plan';
import { requireDisk, requirePossible } from './preconditions';
import { stackSteps } from './stack-plan';
import type { InstanceStep } from './steps';

/**
 * What is to be done to an instance, in order; from its facts alone.
 *
 * @throws ActionError for what no step can mend (see preconditions.ts), `Broken daemon.json`
 */
export function planInstance(desired: Desired, facts: Facts): Plan<InstanceStep> {
  requirePossible(desired, facts);
  const steps = [
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
  return [...clockNotes(facts), ...engineNotes(desired, facts)];
}

/** More than the lag of a busy machine. */
const NOTABLE_SKEW_SECONDS = 300;

function clockNotes({ clockAhead }: Facts): string[] {
  if (Math.abs(clockAhead) < NOTABLE_SKEW_SECONDS) return [];
  return [`its clock is ${clockSkew(clockAhead)} this runner's`];
}

function engineNotes({ docker }: Desired, facts: Facts): string[] {
  const origin = engineOrigin(facts);
  if (origin === 'none' || origin === docker.source) return [];
  const [name, version] = ENGINE_PACKAGES.map((candidate) => [candidate, facts.packages.get(candidate)]).find(
    ([, found]) => found !== undefined,
  ) ?? ['an unpackaged engine', facts.engine];
  return [
    `the engine that is there (${name} ${version}) is kept, although docker-source is ${docker.source}`,
  ];
}

const ENGINE_PACKAGES = ['docker-ce', 'docker.io'] as const;
