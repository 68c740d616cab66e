import type { Change } from '../converge/change';
import { readSettled } from '../converge/read';
import { driftRow } from '../health/drift-row';
import { Examination } from '../health/examination';
import { instanceRows } from '../health/instance-rows';
import { overall } from '../health/overall';
import type { Facts } from '../instance/facts/facts';
import { openRegistry } from '../registry/api';
import { flyCanary } from '../registry/canary';
import { waitUntilAnswered } from '../registry/reach';
import { findEndpoint } from '../registry/scheme';
import type { Report } from '../report/outputs';
import { reportOf } from './report';
import type { Run } from './run';
import { firewallOf } from './site/firewall';
import { openGoogle, readRunningInstance } from './site/google';
import { login } from './site/login';
import { type RegistryAddress, registryAddress } from './site/registry-address';
import { admitWithTag, rulesOf, type Site, siteFirewall, siteInstance } from './site/site';

/** Reads everything, reports what is wrong and what a run would change, and repairs nothing. */
export async function healthCheck(run: Run): Promise<Report> {
  const examination = new Examination();
  const drift: Change[] = [];
  const site = await reach(run, examination);
  const address = registryAddress(run.inputs, site?.vm ?? null);
  try {
    if (site !== null) {
      await examineFirewall(run, site, examination, drift);
      const facts = await examineInstance(run, site, examination, drift);
      if (facts !== null && !run.inputs.dryRun) await examineRegistry(run, site, address, facts, examination);
    }
  } finally {
    site?.connection?.close();
  }
  const { rows } = examination;
  const outcomes = [{ state: null, changes: drift, notes: [] }];
  const health = { state: overall(rows), checks: rows };
  // Rules that could not be read are a row of the check already.
  const firewall = site === null ? null : await firewallOf(run, site).catch(() => null);
  const found = { outcomes, health, firewall };
  return { ...reportOf(run, site?.vm ?? null, address, found), onlyPlanned: true };
}

/** As far as one gets: null without credentials or instance, and no connection where the login failed. */
async function reach(run: Run, examination: Examination): Promise<Site | null> {
  const google = await examination.look(
    'Credentials',
    () => openGoogle(run),
    ({ describe, project }) => `${describe}, project ${project}`,
  );
  if (google === null) return null;
  const { compute } = google;
  const vm = await examination.look(
    'Instance',
    () => readRunningInstance(compute),
    ({ name, status }) => `${name} is ${status}`,
  );
  if (vm === null) return null;
  const mayLogIn = !run.inputs.dryRun || run.inputs.ssh.privateKey !== null;
  const verified =
    run.inputs.ssh.hostKey.kind === 'unverified' ? 'host key not verified' : 'host key verified';
  const connection = mayLogIn
    ? await examination.look(
        'SSH',
        () => login(run, compute, vm),
        () => `${verified}, logged in as ${run.inputs.ssh.user}`,
      )
    : null;
  return { compute, vm, connection, rules: rulesOf(compute, vm) };
}

async function examineFirewall(
  run: Run,
  site: Site,
  examination: Examination,
  drift: Change[],
): Promise<void> {
  const target = siteFirewall(run, site);
  await examination.collect('Firewall', async () => {
    const plan = target.plan(await readSettled(target, run.log));
    drift.push(...plan.steps.map(({ change }) => change));
    return [driftRow('Firewall', plan)];
  });
}

async function examineInstance(
  run: Run,
  site: Site,
  examination: Examination,
  drift: Change[],
): Promise<Facts | null> {
  if (site.connection === null) return null;
  const target = siteInstance(run, site.connection);
  let facts: Facts | null = null;
  await examination.collect('Instance state', async () => {
    facts = await readSettled(target, run.log);
    return instanceRows(facts, run.inputs.registry.ui !== 'none', Date.now());
  });
  const found = facts;
  if (found === null) return null;
  await examination.collect('Configuration', async () => {
    const plan = target.plan(found);
    drift.push(...plan.steps.map(({ change }) => change));
    return [driftRow('Configuration', plan)];
  });
  return found;
}

/** From here, as a workflow sees it: through the firewall, over the registry's API. */
async function examineRegistry(
  run: Run,
  site: Site,
  { host, port, registry }: RegistryAddress,
  facts: Facts,
  examination: Examination,
): Promise<void> {
  await examination.look(
    'Canary',
    async () => {
      await admitWithTag(run, site, facts.client);
      await waitUntilAnswered({ host, port }, run.log, run.sleep);
      const api = openRegistry(await findEndpoint(host, port), run.sleep);
      try {
        return await flyCanary(api);
      } finally {
        api.close();
      }
    },
    () => `an image pushed to ${registry} came back the same, and was removed`,
  );
}
