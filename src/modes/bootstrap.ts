import type { Report } from '../report/outputs';
import { reportOf } from './report';
import type { Run } from './run';
import { firewallOf } from './site/firewall';
import { registryAddress } from './site/registry-address';
import { enter, find, setUp, surveySite } from './site/site';

/** Sets the instance up as a registry: firewall rule and tag, Docker, registry and UI. */
export async function bootstrap(run: Run): Promise<Report> {
  const site = await enter(run, await find(run));
  try {
    const outcomes = await setUp(run, site, await surveySite(run, site, { admit: false }));
    const found = { outcomes, firewall: await firewallOf(run, site) };
    return reportOf(run, site.vm, registryAddress(run.inputs, site.vm), found);
  } finally {
    site.connection?.close();
  }
}
