import type { Report } from '../report/outputs';
import { firewallOf } from './firewall';
import { connectTo } from './log-in';
import { findPlace } from './place';
import { registryAddress } from './registry-address';
import { reportOf } from './report';
import { checkRestored, isOnlyPlanned, restoreData, restorePlanned } from './restore';
import { explainRoom } from './room';
import type { Run } from './run';
import { setUp } from './set-up';
import { surveySite } from './survey';
import { authorityOf } from './tls';

/** Sets the instance up as a registry: firewall rule and tag, Docker, registry and UI. */
export async function bootstrap(run: Run): Promise<Report> {
  const site = await connectTo(run, await findPlace(run));
  try {
    const restored = await restoreData(run, site);
    if (isOnlyPlanned(run, restored)) return restorePlanned(run, site.vm, restored);
    const { outcomes, facts, movement } = await setUp(
      run,
      site,
      await surveySite(run, site, { admit: false }),
    );
    const missing = await checkRestored(run, site, restored);
    const ca = authorityOf(run.settings, facts);
    const found = {
      outcomes: [restored, ...outcomes, missing],
      ca,
      movement,
      firewall: await firewallOf(run, site),
    };
    return reportOf(run, site.vm, registryAddress(run.settings, site.vm), found);
  } catch (error) {
    await explainRoom(run, site.connection, error);
    throw error;
  } finally {
    site.connection?.close();
  }
}
