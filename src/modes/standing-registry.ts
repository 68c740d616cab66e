import { Reconnects } from '../converge/reconnects';
import type { LocalImage } from '../docker/docker';
import type { Instance } from '../google/compute';
import { type Client, readClient } from '../instance/remote/client';
import { waitForAll } from '../job/wait-for-all';
import type { Report } from '../report/outputs';
import { ActionError } from '../values/errors';
import { admitForPush, sweepFor } from './admission';
import { firewallOf, type SiteFirewall } from './firewall';
import { connectTo, type Site } from './log-in';
import { findPlace, readRunningInstance } from './place';
import { type Reached, reachRegistry } from './reach-registry';
import { beginReading, type RunnerReads, setUpRunner, trustAuthority } from './read-runner';
import { type RegistryAddress, registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';
import { authorityOf } from './tls';
import { directWay, openWay, type Way } from './way';

/** What came of it, for the report. */
export type Used = Pick<Parameters<typeof reportOf>[3], 'images' | 'layout'>;

/** What a mode does at a registry that it reaches; `reached` is null in a dry run, `image` where it is pulled first. */
export type UseRegistry = (
  address: RegistryAddress,
  reached: Reached | null,
  image: LocalImage | null,
) => Promise<Used>;

/**
 * Makes this job reach a registry that is there already, and uses it. Google Cloud is asked only for what the settings
 * leave open: the address, and a way in for this runner.
 */
export async function atStandingRegistry(run: Run, use: UseRegistry): Promise<Report> {
  const { firewall, registry, route } = run.settings;
  if (firewall.runner || registry.tls.kind === 'private-ca' || route === 'ssh') return afterLogin(run, use);
  const vm = registry.host === null ? await findInstance(run) : null;
  const address = registryAddress(run.settings, vm);
  const ca = authorityOf(run.settings, null);
  const reads = beginReading(run, address);
  return reachAndUse(run, vm, { address, way: directWay(address), ca, reads, firewall: null }, use);
}

async function findInstance(run: Run): Promise<Instance> {
  const { compute } = await run.reach.google(run);
  return readRunningInstance(compute);
}

/**
 * The address of this runner is what the instance sees, and the instance has its CA: it takes a login to learn them, and
 * to open a tunnel.
 */
async function afterLogin(run: Run, use: UseRegistry): Promise<Report> {
  const place = await findPlace(run);
  const address = registryAddress(run.settings, place.vm);
  const reads = beginReading(run, address);
  const site = await connectTo(run, place);
  try {
    const [ca, way] = await waitForAll<[string | null, Way]>([enter(run, site), openWay(run, site, address)]);
    const firewall = await firewallOf(run, site);
    return await reachAndUse(run, site.vm, { address, way, ca, reads, firewall }, use);
  } finally {
    site.connection?.close();
  }
}

/** Admits this runner, where it comes through the firewall, and returns what it has to trust. */
export async function enter(run: Run, site: Site): Promise<string | null> {
  const { settings, log } = run;
  const { connection } = site;
  const isOwnAuthority = settings.registry.tls.kind === 'private-ca';
  if (connection === null) return authorityOf(settings, null);
  if (!settings.firewall.runner && !isOwnAuthority) {
    if (!settings.dryRun) await sweepFor(run, site);
    return authorityOf(settings, null);
  }
  const client = await new Reconnects(log).retry('asking again', () => readClient(connection));
  const ca = isOwnAuthority ? requireAuthority(client, run) : authorityOf(settings, null);
  if (!settings.dryRun) await admitForPush(run, site, client.address);
  return ca;
}

function requireAuthority({ authority }: Client, { settings }: Run): string {
  if (authority !== null) return authority;
  throw new ActionError('No certificate authority', {
    doing: `asking instance ${settings.vm.instance} for the CA of its registry`,
    happened: 'it has none',
    next: 'Run with `mode: bootstrap` (or `deploy`) and `tls: private-ca` once, which makes it',
  });
}

async function reachAndUse(
  run: Run,
  vm: Instance | null,
  {
    address,
    way,
    ca,
    reads,
    firewall,
  }: {
    readonly address: RegistryAddress;
    readonly way: Way;
    readonly ca: string | null;
    readonly reads: Promise<RunnerReads>;
    readonly firewall: SiteFirewall | null;
  },
  use: UseRegistry,
): Promise<Report> {
  const { survey, image } = await reads;
  const runner = await setUpRunner(run, survey);
  const caFile = await trustAuthority(run, address, ca);
  const reached = await reachRegistry(run, way, ca);
  const used = await use(address, reached, image);
  return reportOf(run, vm, address, { outcomes: [runner], ca, caFile, reached, firewall, ...used });
}
