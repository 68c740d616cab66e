import type { Report } from '../report/outputs';
import { push } from './push-image';
import { imagesToRestore, restoreImages } from './restore-layout';
import type { Run } from './run';
import { atStandingRegistry } from './standing-registry';

/** Pushes the image, or those of a layout, to a registry that is there already. */
export async function pushOnly(run: Run): Promise<Report> {
  const restorable = await imagesToRestore(run);
  return atStandingRegistry(run, async (address, reached, image) => ({
    images: await push(run, address, reached, image),
    layout: await restoreImages(run, reached, restorable),
  }));
}
