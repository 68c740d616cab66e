import type { Instance } from '../gcp/compute';
import type { LocalImage } from '../image/docker';
import { readClientAddress } from '../instance/client-address';
import { Losses } from '../instance/losses';
import type { Report } from '../report/outputs';
import type { Run } from '../run';
import { openGoogle, readRunningInstance } from '../site/google';
import { registryAddress } from '../site/registry-address';
import { admitWithTag, enter } from '../site/site';
import { together } from '../site/together';
import { findLocalImage, push, type RunnerSurvey, setUpRunner, surveyRunner } from './push-image';
import { reportOf } from './report';

/**
 * Pushes the image to a registry that is there already. Google Cloud is asked only for what the inputs leave open:
 * the address, and a way in for this runner.
 */
export async function pushOnly(run: Run): Promise<Report> {
  const { firewall, registry } = run.inputs;
  if (firewall.runner) return pushThroughOpening(run);
  return pushTo(run, registry.host === null ? await findInstance(run) : null);
}

async function findInstance(run: Run): Promise<Instance> {
  const { compute } = await openGoogle(run);
  return readRunningInstance(compute);
}

/** The address of this runner is what the instance sees, so it takes a login to learn it. */
async function pushThroughOpening(run: Run): Promise<Report> {
  const site = await enter(run);
  try {
    if (site.connection !== null) {
      const { connection } = site;
      const client = await new Losses(run.log).again('asking again', () => readClientAddress(connection));
      if (!run.inputs.dryRun) await admitWithTag(run, site, client);
    }
    return await pushTo(run, site.vm);
  } finally {
    site.connection?.close();
  }
}

async function pushTo(run: Run, vm: Instance | null): Promise<Report> {
  const address = registryAddress(run.inputs, vm);
  const [survey, found] = await together<[RunnerSurvey, LocalImage | null]>([
    surveyRunner(run, address),
    findLocalImage(run),
  ]);
  const runner = await setUpRunner(run, survey);
  const images = await push(run, address, found);
  return reportOf(run, vm, address, { outcomes: [runner], images });
}
