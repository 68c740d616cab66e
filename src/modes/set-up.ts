import { asPlanned, converge, type Outcome, survey } from '../converge/converge';
import type { Facts } from '../instance/facts/facts';
import { asksForCertificate } from '../instance/plan/acme-plan';
import { waitForAll } from '../job/wait-for-all';
import { sweepFor } from './admission';
import type { Site } from './log-in';
import { type Movement, movementOf, plannedMovement } from './movement';
import { placeOf } from './place';
import { portsLeaving } from './ports-leaving';
import { portsOf } from './registry-address';
import type { Run } from './run';
import { type SiteSurvey, siteFirewall } from './survey';

/** What came of setting a site up. */
export interface SetUp {
  readonly outcomes: readonly Outcome<unknown>[];
  /** The instance afterwards; null where it could not be read. */
  readonly facts: Facts | null;
  /** How the registry was reached before, and is now; null where there was none, or it could not be read. */
  readonly movement: Movement | null;
}

/**
 * Carries out what was planned, firewall and instance side by side, and sees to it that this runner is admitted. What
 * earlier runs left behind is removed. A dry run ends here.
 */
export async function setUp(
  run: Run,
  site: Site,
  { firewall, instance, machine, admission, metOtherRun, frontReplaced }: SiteSurvey,
): Promise<SetUp> {
  if (run.settings.dryRun) {
    const others = [instance, machine].filter((each) => each !== null);
    const outcomes = [asPlanned(firewall), ...others.map((each) => asPlanned<unknown>(each))];
    return { outcomes, facts: instance?.state ?? null, movement: plannedMovement(run, site.vm, instance) };
  }
  const isMoving = instance !== null && run.settings.mode !== 'teardown';
  const leaving = isMoving ? portsLeaving(instance.state, portsOf(run.settings)) : [];
  const opened = converge(leaving.length === 0 ? firewall : keepingOpen(run, site, firewall, leaving));
  // No certificate is asked for before its challenges come in: each failed try counts towards the authority's limits. And
  // nobody is sent to a port that is closed.
  const waits = leaving.length > 0 || asksForCertificate(instance?.plan.steps ?? []);
  const begin = waits ? opened : Promise.resolve();
  const [first, second] = await waitForAll<[Outcome<unknown>, Outcome<Facts> | null, unknown, unknown]>([
    opened,
    instance === null ? Promise.resolve(null) : begin.then(() => converge(instance)),
    admission,
    sweepFor(run, site),
  ]);
  // The run that has its turn at the instance last also has the last word on the ports.
  const again = metOtherRun() || leaving.length > 0 ? await setUpFirewallAgain(run, site) : null;
  // The last, as nobody waits for it; in a teardown too, where it says which snapshots stay.
  const third = machine === null ? null : await converge(machine);
  const outcomes = [first, again, second, third].filter((each) => each !== null);
  const movement = second === null ? null : movementOf(run, site.vm, second, frontReplaced());
  return { outcomes, facts: second?.state ?? null, movement };
}

/** The same with ports that stay open until the front has let go of them. */
function keepingOpen(
  run: Run,
  site: Site,
  surveyed: SiteSurvey['firewall'],
  leaving: readonly number[],
): SiteSurvey['firewall'] {
  if (surveyed.plan.steps.length > 0)
    run.log.info(`firewall: tcp:${leaving.join(',')} stays open until the front serves elsewhere`);
  const target = siteFirewall(run, site, leaving);
  return { ...surveyed, target, plan: target.plan(surveyed.state) };
}

async function setUpFirewallAgain(run: Run, site: Site): Promise<Outcome<unknown>> {
  const fresh = placeOf(site, await site.compute.getInstance());
  return converge(await survey(siteFirewall(run, fresh), run));
}
