import type { Outcome } from '../converge/converge';
import type { Report } from '../report/outputs';
import type { Run } from '../run';
import { registryAddress } from '../site/registry-address';
import { enter, type SiteSurvey, setUp, surveySite } from '../site/site';
import { together } from '../site/together';
import { push, type RunnerSurvey, setUpRunner, surveyRunner } from './push-image';
import { reportOf } from './report';

/** Sets the instance up, and pushes the image. */
export async function deploy(run: Run): Promise<Report> {
  const site = await enter(run);
  try {
    const address = registryAddress(run.inputs, site.vm);
    // All plans are made before anything is changed, so that what stands in the way is found in time.
    const [survey, runner] = await together<[SiteSurvey, RunnerSurvey]>([
      surveySite(run, site),
      surveyRunner(run, address),
    ]);
    const [outcomes, changed] = await together<[readonly Outcome<unknown>[], Outcome<unknown> | null]>([
      setUp(run, site, survey, { admit: true }),
      setUpRunner(run, runner),
    ]);
    const images = await push(run, address);
    return reportOf(run, site.vm, address, { outcomes: [...outcomes, changed], images });
  } finally {
    site.connection?.close();
  }
}
