import type { Report } from '../report/outputs';
import { openPatiently } from './reach-registry';
import type { Run } from './run';
import { atStandingRegistry } from './standing-registry';

/**
 * Makes a registry that is there already usable for the later steps of the job, and pushes nothing: this runner is
 * admitted, its Docker trusts the registry, and the job is logged in, until it ends.
 */
export async function connect(run: Run): Promise<Report> {
  return atStandingRegistry(run, async (_, reached) => {
    if (reached === null || reached.endpoint.login === null) return {};
    const api = openPatiently(reached.endpoint, run, async () => undefined);
    await api.requireLogin().finally(() => api.close());
    return {};
  });
}
