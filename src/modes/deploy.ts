import type { Outcome } from '../converge/converge';
import type { LocalImage } from '../image/docker';
import type { Report } from '../report/outputs';
import type { Run } from '../run';
import { Mender } from '../site/mender';
import { registryAddress } from '../site/registry-address';
import { enter, type SiteSurvey, setUp, surveySite } from '../site/site';
import { together } from '../site/together';
import { findLocalImage, push, type RunnerSurvey, setUpRunner, surveyRunner } from './push-image';
import { reportOf } from './report';

/** Sets the instance up, and pushes the image. */
export async function deploy(run: Run): Promise<Report> {
  const site = await enter(run);
  try {
    const address = registryAddress(run.inputs, site.vm);
    // All plans are made before anything is changed, so that what stands in the way is found in time. This run's own
    // opening alone is made meanwhile; the post step closes it in any case.
    const [survey, runner, found] = await together<[SiteSurvey, RunnerSurvey, LocalImage | null]>([
      surveySite(run, site, { admit: true }),
      surveyRunner(run, address),
      findLocalImage(run),
    ]);
    const [outcomes, changed] = await together<[readonly Outcome<unknown>[], Outcome<unknown> | null]>([
      setUp(run, site, survey),
      setUpRunner(run, runner),
    ]);
    const mender = new Mender(run, site.connection);
    const images = await push(run, address, found, () => mender.mend());
    return reportOf(run, site.vm, address, { outcomes: [...outcomes, changed, ...mender.outcomes], images });
  } finally {
    site.connection?.close();
  }
}
