import { Reconnects } from '../converge/reconnects';
import type { Instance } from '../google/compute';
import { readClientAddress } from '../instance/remote/client-address';
import type { Report } from '../report/outputs';
import { admitForPush } from './admission';
import { connectTo } from './connect';
import { firewallOf, type SiteFirewall } from './firewall';
import { findPlace, readRunningInstance } from './place';
import { push } from './push-image';
import { beginReading, type RunnerReads, setUpRunner } from './read-runner';
import { type RegistryAddress, registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';

/**
 * Pushes the image to a registry that is there already. Google Cloud is asked only for what the settings leave open:
 * the address, and a way in for this runner.
 */
export async function pushOnly(run: Run): Promise<Report> {
  const { firewall, registry } = run.settings;
  if (firewall.runner) return pushThroughOpening(run);
  const vm = registry.host === null ? await findInstance(run) : null;
  const address = registryAddress(run.settings, vm);
  return pushTo(run, vm, address, beginReading(run, address));
}

async function findInstance(run: Run): Promise<Instance> {
  const { compute } = await run.reach.google(run);
  return readRunningInstance(compute);
}

/** The address of this runner is what the instance sees, so it takes a login to learn it. */
async function pushThroughOpening(run: Run): Promise<Report> {
  const place = await findPlace(run);
  const address = registryAddress(run.settings, place.vm);
  const reads = beginReading(run, address);
  const site = await connectTo(run, place);
  try {
    if (site.connection !== null) {
      const { connection } = site;
      const client = await new Reconnects(run.log).retry('asking again', () => readClientAddress(connection));
      if (!run.settings.dryRun) await admitForPush(run, site, client);
    }
    return await pushTo(run, site.vm, address, reads, await firewallOf(run, site));
  } finally {
    site.connection?.close();
  }
}

async function pushTo(
  run: Run,
  vm: Instance | null,
  address: RegistryAddress,
  reads: Promise<RunnerReads>,
  firewall: SiteFirewall | null = null,
): Promise<Report> {
  const { survey, image } = await reads;
  const runner = await setUpRunner(run, survey);
  const images = await push(run, address, image);
  return reportOf(run, vm, address, { outcomes: [runner], images, firewall });
}
