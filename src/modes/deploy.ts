import type { Outcome } from '../converge/converge';
import { together } from '../job/together';
import type { Report } from '../report/outputs';
import { beginReading, push, type RunnerReads, setUpRunner } from './push-image';
import { reportOf } from './report';
import type { Run } from './run';
import { firewallOf } from './site/firewall';
import { Mender } from './site/mender';
import { registryAddress } from './site/registry-address';
import { enter, find, type SiteSurvey, setUp, surveySite } from './site/site';

/** Sets the instance up, and pushes the image. */
export async function deploy(run: Run): Promise<Report> {
  const place = await find(run);
  const address = registryAddress(run.inputs, place.vm);
  const reads = beginReading(run, address);
  const site = await enter(run, place);
  try {
    // All plans are made before anything is changed, so that what stands in the way is found in time. This run's own
    // opening alone is made meanwhile; the post step closes it in any case.
    const [survey, runner] = await together<[SiteSurvey, RunnerReads]>([
      surveySite(run, site, { admit: true }),
      reads,
    ]);
    const [outcomes, changed] = await together<[readonly Outcome<unknown>[], Outcome<unknown> | null]>([
      setUp(run, site, survey),
      setUpRunner(run, runner.survey),
    ]);
    const mender = new Mender(run, site.connection);
    const images = await push(run, address, runner.found, () => mender.mend());
    const firewall = await firewallOf(run, site);
    const all = [...outcomes, changed, ...mender.outcomes];
    return reportOf(run, site.vm, address, { outcomes: all, images, firewall });
  } finally {
    site.connection?.close();
  }
}
