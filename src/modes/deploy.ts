import type { Outcome } from '../converge/converge';
import { waitForAll } from '../job/wait-for-all';
import type { Report } from '../report/outputs';
import { firewallOf } from './firewall';
import { connectTo } from './log-in';
import { findPlace } from './place';
import { push } from './push-image';
import { reachRegistry } from './reach-registry';
import { beginReading, type RunnerReads, setUpRunner, trustAuthority } from './read-runner';
import { registryAddress } from './registry-address';
import { RepairDuringPush } from './repair-during-push';
import { reportOf } from './report';
import { checkRestored, isOnlyPlanned, restoreData, restorePlanned } from './restore';
import { imagesToRestore, restoreImages } from './restore-layout';
import { explainRoom, warnOfRoom } from './room';
import type { Run } from './run';
import { type SetUp, setUp } from './set-up';
import { type SiteSurvey, surveySite } from './survey';
import { authorityOf } from './tls';
import { openWay, type Way } from './way';

/** Sets the instance up, and pushes the image, or those of a layout. */
export async function deploy(run: Run): Promise<Report> {
  const restorable = await imagesToRestore(run);
  const place = await findPlace(run);
  const address = registryAddress(run.settings, place.vm);
  const reads = beginReading(run, address);
  const site = await connectTo(run, place);
  try {
    const restored = await restoreData(run, site);
    if (isOnlyPlanned(run, restored)) return restorePlanned(run, site.vm, restored);
    // All plans are made before anything is changed, so that what stands in the way is found in time. This run's own
    // opening alone is made meanwhile; the post step closes it in any case.
    const [survey, runner] = await waitForAll<[SiteSurvey, RunnerReads]>([
      surveySite(run, site, { admit: true }),
      reads,
    ]);
    const [{ outcomes, facts, movement }, changed, way] = await waitForAll<
      [SetUp, Outcome<unknown> | null, Way]
    >([setUp(run, site, survey), setUpRunner(run, runner.survey), openWay(run, site, address)]);
    const missing = await checkRestored(run, site, restored);
    await warnOfRoom(run, site.connection, facts);
    const ca = authorityOf(run.settings, facts);
    const caFile = await trustAuthority(run, address, ca);
    const reached = await reachRegistry(run, way, ca);
    const { repair, outcomes: repaired } = new RepairDuringPush(run, site);
    const images = await push(run, address, reached, runner.image, repair);
    const layout = await restoreImages(run, reached, restorable);
    const firewall = await firewallOf(run, site);
    const all = [restored, ...outcomes, changed, ...repaired, missing];
    const found = { outcomes: all, ca, caFile, reached, images, layout, firewall, movement };
    return reportOf(run, site.vm, address, found);
  } catch (error) {
    await explainRoom(run, site.connection, error);
    throw error;
  } finally {
    site.connection?.close();
  }
}
