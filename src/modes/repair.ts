import type { Change } from '../converge/change';
import type { Outcome } from '../converge/converge';
import type { HealthCheck } from '../health/check';
import type { Facts } from '../instance/facts/facts';
import { lacksRoom } from '../instance/plan/disk-space';
import type { PruneReport } from '../report/prune';
import { messageOf } from '../values/errors';
import type { Connected, Site } from './log-in';
import type { Movement } from './movement';
import { placeOf } from './place';
import { pruneImages } from './prune';
import type { Run } from './run';
import { setUp } from './set-up';
import { surveySite } from './survey';

/** What came of a repair. */
export interface Repaired {
  /** With the rules and tags as they are now. */
  readonly site: Site;
  readonly outcomes: readonly Outcome<unknown>[];
  /** Why it did not come to its end; empty where it did. */
  readonly trouble: readonly HealthCheck[];
  readonly movement: Movement | null;
  /** Null: nothing was to be pruned. */
  readonly pruned: PruneReport | null;
}

/**
 * Changes what a `bootstrap` would change, and prunes a disk that fills where there are rules for that, if the settings ask
 * for a repair: never more, so what no plan mends is left. Null: nothing was tried.
 */
export async function repair(
  run: Run,
  site: Site | null,
  { drift, facts }: { readonly drift: readonly Change[]; readonly facts: Facts | null },
): Promise<Repaired | null> {
  const { repair: isWanted, dryRun, retention } = run.settings;
  if (!isWanted || dryRun || site === null || site.connection === null) return null;
  const isFilling = facts !== null && lacksRoom(facts) && retention.rules.length > 0;
  if (drift.length === 0 && !isFilling) return null;
  // First, since what is mended takes room as well.
  const gained = isFilling ? await makeRoom(run, { ...site, connection: site.connection }) : NOTHING;
  const mended = drift.length > 0 ? await mend(run, site) : NOTHING;
  const both = {
    outcomes: [...gained.outcomes, ...mended.outcomes],
    trouble: [...gained.trouble, ...mended.trouble],
    movement: mended.movement,
    pruned: gained.pruned,
  };
  const fresh = placeOf(site, await site.compute.getInstance());
  return { site: { ...fresh, connection: site.connection }, ...both };
}

type Mended = Omit<Repaired, 'site'>;

const NOTHING: Mended = { outcomes: [], trouble: [], movement: null, pruned: null };

async function mend(run: Run, site: Site): Promise<Mended> {
  return orTrouble('Repair', async () => {
    const { outcomes, movement } = await setUp(run, site, await surveySite(run, site, { admit: false }));
    return { ...NOTHING, outcomes, movement };
  });
}

async function makeRoom(run: Run, site: Connected): Promise<Mended> {
  return orTrouble('Prune', async () => {
    const { outcome, pruned } = await pruneImages(run, site);
    return { ...NOTHING, outcomes: [outcome], pruned };
  });
}

async function orTrouble(name: string, work: () => Promise<Mended>): Promise<Mended> {
  try {
    return await work();
  } catch (error) {
    return { ...NOTHING, trouble: [{ name, state: 'unhealthy', finding: messageOf(error) }] };
  }
}
