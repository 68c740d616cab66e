import { Reconnects } from '../converge/reconnects';
import type { Instance } from '../google/compute';
import { type Client, readClient } from '../instance/remote/client';
import type { Report } from '../report/outputs';
import { ActionError } from '../values/errors';
import { admitForPush } from './admission';
import { connectTo } from './connect';
import { firewallOf, type SiteFirewall } from './firewall';
import { findPlace, readRunningInstance } from './place';
import { push } from './push-image';
import { beginReading, type RunnerReads, setUpRunner, trustAuthority } from './read-runner';
import { type RegistryAddress, registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';
import { authorityOf } from './tls';

/**
 * Pushes the image to a registry that is there already. Google Cloud is asked only for what the settings leave open:
 * the address, and a way in for this runner.
 */
export async function pushOnly(run: Run): Promise<Report> {
  const { firewall, registry } = run.settings;
  if (firewall.runner || registry.tls.kind === 'private-ca') return pushAfterLogin(run);
  const vm = registry.host === null ? await findInstance(run) : null;
  const address = registryAddress(run.settings, vm);
  const ca = authorityOf(run.settings, null);
  return pushTo(run, vm, { address, ca, reads: beginReading(run, address), firewall: null });
}

async function findInstance(run: Run): Promise<Instance> {
  const { compute } = await run.reach.google(run);
  return readRunningInstance(compute);
}

/** The address of this runner is what the instance sees, and the instance has its CA: it takes a login to learn them. */
async function pushAfterLogin(run: Run): Promise<Report> {
  const place = await findPlace(run);
  const address = registryAddress(run.settings, place.vm);
  const reads = beginReading(run, address);
  const site = await connectTo(run, place);
  try {
    let ca = authorityOf(run.settings, null);
    if (site.connection !== null) {
      const { connection } = site;
      const client = await new Reconnects(run.log).retry('asking again', () => readClient(connection));
      if (run.settings.registry.tls.kind === 'private-ca') ca = requireAuthority(client, run);
      if (!run.settings.dryRun) await admitForPush(run, site, client.address);
    }
    const firewall = await firewallOf(run, site);
    return await pushTo(run, site.vm, { address, ca, reads, firewall });
  } finally {
    site.connection?.close();
  }
}

function requireAuthority({ authority }: Client, { settings }: Run): string {
  if (authority !== null) return authority;
  throw new ActionError('No certificate authority', {
    doing: `asking instance ${settings.vm.instance} for the CA of its registry`,
    happened: 'it has none',
    next: 'Run with `mode: bootstrap` (or `deploy`) and `tls: private-ca` once, which makes it',
  });
}

async function pushTo(
  run: Run,
  vm: Instance | null,
  {
    address,
    ca,
    reads,
    firewall,
  }: {
    readonly address: RegistryAddress;
    readonly ca: string | null;
    readonly reads: Promise<RunnerReads>;
    readonly firewall: SiteFirewall | null;
  },
): Promise<Report> {
  const { survey, image } = await reads;
  const runner = await setUpRunner(run, survey);
  await trustAuthority(run, address, ca);
  const images = await push(run, address, ca, image);
  return reportOf(run, vm, address, { outcomes: [runner], ca, images, firewall });
}
