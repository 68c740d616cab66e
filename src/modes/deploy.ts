import type { Outcome } from '../converge/converge';
import type { Report } from '../report/outputs';
import type { Run } from '../run';
import { registryAddress } from '../site/registry-address';
import { enter, type SiteOutcome, setUp } from '../site/site';
import { together } from '../site/together';
import { push, setUpRunner } from './push-image';
import { reportOf } from './report';

/** Sets the instance up, and pushes the image. */
export async function deploy(run: Run): Promise<Report> {
  const site = await enter(run);
  try {
    const address = registryAddress(run.inputs, site.vm);
    const [{ firewall, instance }, runner] = await together<[SiteOutcome, Outcome<unknown> | null]>([
      setUp(run, site, { admit: true }),
      setUpRunner(run, address),
    ]);
    const images = await push(run, address);
    return reportOf(run, site.vm, address, { outcomes: [firewall, instance, runner], images });
  } finally {
    site.connection?.close();
  }
}
