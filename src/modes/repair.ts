import type { Change } from '../converge/change';
import type { Outcome } from '../converge/converge';
import type { HealthCheck } from '../health/check';
import { messageOf } from '../values/errors';
import type { Site } from './log-in';
import type { Movement } from './movement';
import { placeOf } from './place';
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
}

/**
 * Changes what a `bootstrap` would change, where the settings ask for a repair and there is something to change: never
 * more, so what no plan mends is left. Null: nothing was tried.
 */
export async function repair(
  run: Run,
  site: Site | null,
  { drift }: { readonly drift: readonly Change[] },
): Promise<Repaired | null> {
  const { repair: isWanted, dryRun } = run.settings;
  if (!isWanted || dryRun || drift.length === 0 || site === null || site.connection === null) return null;
  const mended = await mend(run, site);
  const fresh = placeOf(site, await site.compute.getInstance());
  return { site: { ...fresh, connection: site.connection }, ...mended };
}

async function mend(run: Run, site: Site): Promise<Omit<Repaired, 'site'>> {
  try {
    const { outcomes, movement } = await setUp(run, site, await surveySite(run, site, { admit: false }));
    return { outcomes, trouble: [], movement };
  } catch (error) {
    return {
      outcomes: [],
      trouble: [{ name: 'Repair', state: 'unhealthy', finding: messageOf(error) }],
      movement: null,
    };
  }
}
