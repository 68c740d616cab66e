import type { Report } from '../report/outputs';
import { push } from './push-image';
import type { Run } from './run';
import { atStandingRegistry } from './standing-registry';

/** Pushes the image to a registry that is there already. */
export async function pushOnly(run: Run): Promise<Report> {
  return atStandingRegistry(run, (address, reached, image) => push(run, address, reached, image));
}
