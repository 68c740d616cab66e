import type { Change } from '../converge/change';
import type { Outcome } from '../converge/converge';
import { readSettled } from '../converge/read';
import { certificateRows } from '../health/certificate-rows';
import type { HealthCheck } from '../health/check';
import { driftRow } from '../health/drift-row';
import { HealthRows } from '../health/health-rows';
import { instanceRows } from '../health/instance-rows';
import { loginRows } from '../health/login-rows';
import { overall } from '../health/overall';
import { plainRows } from '../health/plain-rows';
import type { Facts } from '../instance/facts/facts';
import { servicesOf } from '../instance/stack/services';
import { takeCanary } from '../leases/canary';
import { openRegistry } from '../registry/api';
import { waitUntilAnswered } from '../registry/reach';
import type { Report } from '../report/outputs';
import { messageOf } from '../values/errors';
import { admitForCheck } from './admission';
import { firewallOf } from './firewall';
import { logIn, mayLogIn, type Site } from './log-in';
import { type Movement, plannedMovement } from './movement';
import { placeOf, readRunningInstance } from './place';
import { type RegistryAddress, registryAddress } from './registry-address';
import { type Repaired, repair } from './repair';
import { reportOf } from './report';
import { savingsAt } from './room';
import type { Run } from './run';
import { siteSchedule } from './schedule';
import { siteFirewall, siteInstance } from './survey';
import { authorityOf, endpointOf, tlsOf } from './tls';
import { openWay } from './way';

/**
 * Reads everything, and reports what is wrong and what a run would change. With `repair` that is changed then, and all is
 * read once more.
 */
export async function healthCheck(run: Run): Promise<Report> {
  const rows = new HealthRows();
  const site = await reach(run, rows);
  const reached = rows.all;
  const address = registryAddress(run.settings, site?.vm ?? null);
  try {
    const first = await look(run, site, reached);
    const repaired = await repair(run, site, first);
    if (repaired === null)
      return await reportOn(run, site, address, await fly(run, site, address, first), null);
    const second = await look(run, repaired.site, [...reached, ...repaired.trouble]);
    const after = await fly(run, repaired.site, address, second);
    const { outcomes, movement, pruned } = repaired;
    const mended = { found: first.checks.filter(isBad), outcomes, movement, pruned };
    return await reportOn(run, repaired.site, address, after, mended);
  } finally {
    site?.connection?.close();
  }
}

/** What one look at everything shows. */
interface Examination {
  readonly checks: readonly HealthCheck[];
  /** What a run would change. */
  readonly drift: readonly Change[];
  /** Null where the instance could not be read. */
  readonly facts: Facts | null;
  /** How the registry would be reached otherwise after it. */
  readonly movement: Movement | null;
}

const isBad = ({ state }: HealthCheck) => state !== 'healthy';

/** @param reached rows of what it took to get there */
async function look(run: Run, site: Site | null, reached: readonly HealthCheck[]): Promise<Examination> {
  const rows = new HealthRows(reached);
  const drift: Change[] = [];
  if (site === null) return { checks: rows.all, drift, facts: null, movement: null };
  await checkFirewall(run, site, rows, drift);
  const instance = await checkInstance(run, site, rows, drift);
  await checkSchedule(run, site, rows, drift);
  return { checks: rows.all, drift, ...instance };
}

/** The canary flies once, where all else has been looked at, and mended: it changes something, if only for a moment. */
async function fly(
  run: Run,
  site: Site | null,
  address: RegistryAddress,
  seen: Examination,
): Promise<Examination> {
  if (site === null || seen.facts === null || run.settings.dryRun) return seen;
  const rows = new HealthRows(seen.checks);
  await checkRegistry(run, site, address, seen.facts, rows);
  return { ...seen, checks: rows.all };
}

async function reportOn(
  run: Run,
  site: Site | null,
  address: RegistryAddress,
  { checks, drift, movement }: Examination,
  mended:
    | (Pick<Repaired, 'outcomes' | 'movement' | 'pruned'> & {
        readonly found: readonly HealthCheck[];
      })
    | null,
): Promise<Report> {
  const planned: Outcome<unknown> = { state: null, before: null, changes: drift, notes: [] };
  const health = { state: overall(checks), checks, found: mended?.found ?? null };
  // Rules that could not be read are a row of the check already.
  const firewall = site === null ? null : await firewallOf(run, site).catch(() => null);
  const report = reportOf(run, site?.vm ?? null, address, {
    outcomes: mended?.outcomes ?? [planned],
    health,
    firewall,
    movement: mended === null ? movement : mended.movement,
    pruned: mended?.pruned ?? null,
  });
  return { ...report, onlyPlanned: mended === null };
}

/** As far as one gets: null without credentials or instance, and no connection where the login failed. */
async function reach(run: Run, rows: HealthRows): Promise<Site | null> {
  const google = await rows.add(
    'Credentials',
    () => run.reach.google(run),
    ({ describe, project }) => `${describe}, project ${project}`,
  );
  if (google === null) return null;
  const { compute } = google;
  const vm = await rows.add(
    'Instance',
    () => readRunningInstance(compute),
    ({ name, status }) => `${name} is ${status}`,
  );
  if (vm === null) return null;
  const place = placeOf(google, vm);
  const verified =
    run.settings.ssh.hostKey.kind === 'unverified' ? 'host key not verified' : 'host key verified';
  const connection = mayLogIn(run)
    ? await rows.add(
        'SSH',
        () => logIn(run, place),
        () => `${verified}, logged in as ${run.settings.ssh.user}`,
      )
    : null;
  return { ...place, connection };
}

async function checkFirewall(run: Run, site: Site, rows: HealthRows, drift: Change[]): Promise<void> {
  await rows.addAll('Firewall', async () => {
    const target = siteFirewall(run, site);
    const plan = target.plan(await readSettled(target, run.log));
    drift.push(...plan.steps.map(({ change }) => change));
    return [driftRow('Firewall', plan)];
  });
}

/** Where a schedule is asked for. */
async function checkSchedule(run: Run, site: Site, rows: HealthRows, drift: Change[]): Promise<void> {
  const target = siteSchedule(run, site);
  if (target === null) return;
  await rows.addAll('Snapshots', async () => {
    const plan = target.plan(await readSettled(target, run.log));
    drift.push(...plan.steps.map(({ change }) => change));
    return [driftRow('Snapshots', plan)];
  });
}

async function checkInstance(
  run: Run,
  site: Site,
  rows: HealthRows,
  drift: Change[],
): Promise<Pick<Examination, 'facts' | 'movement'>> {
  const { connection } = site;
  if (connection === null) return { facts: null, movement: null };
  const tls = tlsOf(run.settings, site.vm);
  const target = siteInstance(run, site.vm, connection);
  let facts: Facts | null = null;
  await rows.addAll('Instance state', async () => {
    facts = await readSettled(target, run.log);
    const services = servicesOf(run.settings.registry);
    return [
      ...instanceRows(facts, services, Date.now(), await savingsAt(run, connection, facts)),
      ...certificateRows(tls, facts, Date.now()),
      ...loginRows(facts),
      ...plainRows(facts, services),
    ];
  });
  const found = facts;
  if (found === null) return { facts: null, movement: null };
  let movement: Movement | null = null;
  await rows.addAll('Configuration', async () => {
    const plan = target.plan(found);
    movement = plannedMovement(run, site.vm, { state: found, plan });
    drift.push(...plan.steps.map(({ change }) => change));
    return [driftRow('Configuration', plan)];
  });
  return { facts: found, movement };
}

/** From here, as a workflow sees it: through the firewall or the tunnel, over the registry's API. */
async function checkRegistry(
  run: Run,
  site: Site,
  address: RegistryAddress,
  facts: Facts,
  rows: HealthRows,
): Promise<void> {
  await rows.add(
    'Canary',
    async () => {
      const giveBack = await admitForCheck(run, site, facts.client);
      try {
        return await flyThere(run, site, address, authorityOf(run.settings, facts));
      } finally {
        // What fails here the post step does.
        await giveBack().catch((error: unknown) => run.log.info(messageOf(error)));
      }
    },
    () => `an image pushed to ${address.registry} came back the same, and was removed`,
  );
}

async function flyThere(run: Run, site: Site, address: RegistryAddress, ca: string | null) {
  const { settings, log, sleep, leases } = run;
  const way = await openWay(run, site, address);
  try {
    await waitUntilAnswered(way, log, sleep);
    const endpoint = await endpointOf(settings, way, ca);
    const api = openRegistry(endpoint, sleep);
    return await takeCanary({ endpoint, api }, leases).finally(() => api.close());
  } finally {
    await way.tunnel?.release(log);
  }
}
