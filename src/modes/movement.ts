import type { Outcome, Survey } from '../converge/converge';
import type { Instance } from '../google/compute';
import type { Facts } from '../instance/facts/facts';
import { ourContainer } from '../instance/plan/containers';
import type { InstanceStep } from '../instance/plan/steps';
import { plannedReach, type Reach, reachOf } from '../instance/reach';
import type { FrontReplacement } from '../instance/remote/front-replacement';
import type { Movement } from '../report/told';
import { addressesOf, registryAddress } from './registry-address';
import type { Run } from './run';
import { authorityOf, tlsOf } from './tls';

export type { Movement } from '../report/told';

/** How the registry was reached before a run, and is after it; null where there was none before. */
export function movementOf(
  run: Run,
  vm: Instance,
  { before, state }: Pick<Outcome<Facts>, 'before' | 'state'>,
  replaced: FrontReplacement | null,
): Movement | null {
  const after = reachOf(state);
  const known = after === null ? null : { ...after, authority: authorityOf(run.settings, state) };
  return movement(run, vm, {
    before: reachOf(before),
    after: known,
    front: replaced ?? isAnother(before, state),
  });
}

/** The same for a plan that is not carried out. */
export function plannedMovement(
  run: Run,
  vm: Instance,
  planned: Pick<Survey<Facts, InstanceStep>, 'state' | 'plan'> | null,
): Movement | null {
  if (planned === null) return null;
  const { state, plan } = planned;
  const after = plannedReach(state, plan.steps, tlsOf(run.settings, vm));
  const isGiven = run.settings.registry.tls.kind === 'certificate';
  const known = after !== null && isGiven ? { ...after, authority: authorityOf(run.settings, null) } : after;
  return movement(run, vm, { before: reachOf(state), after: known, front: null });
}

function movement(
  { settings }: Run,
  vm: Instance,
  { before, after, front }: Pick<Movement, 'front'> & { before: Reach | null; after: Reach | null },
): Movement | null {
  if (before === null || after === null) return null;
  const { loopback } = settings.registry;
  const { host } = registryAddress(settings, vm);
  return { before, after: { ...after, host, loopback }, addresses: addressesOf(vm), front };
}

/** Where the connection was lost meanwhile, nobody has said how it went. */
function isAnother(before: Facts, after: Facts): FrontReplacement | null {
  const [old, now] = [before, after].map((facts) => ourContainer(facts, 'front'));
  const isMade = old?.state === 'running' && now !== undefined && now.startedAt !== old.startedAt;
  return isMade ? { kind: 'in-place', awayMs: null } : null;
}
