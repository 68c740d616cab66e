import type { Report } from '../report/outputs';
import { firewallOf } from './firewall';
import { connectTo } from './log-in';
import { findPlace } from './place';
import { registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';
import { setUp } from './set-up';
import { surveySite } from './survey';

/** Takes the registry away: what the action made on the instance and in the firewall, and nothing else. */
export async function teardown(run: Run): Promise<Report> {
  const site = await connectTo(run, await findPlace(run));
  try {
    const { outcomes } = await setUp(run, site, await surveySite(run, site, { admit: false }));
    const found = { outcomes, firewall: await firewallOf(run, site) };
    return reportOf(run, site.vm, registryAddress(run.settings, site.vm), found);
  } finally {
    site.connection?.close();
  }
}
