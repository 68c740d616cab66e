import { join } from 'node:path';
import { ensureBase, ensureImage } from '../images.ts';
import { containerOf, listInstances } from '../instance.ts';
import { DEFAULT_KIND } from '../kinds.ts';
import { docker, LabError } from '../process.ts';
import { endByScript, runScript } from './script.ts';
import type { Fault } from './types.ts';

/** In the instance; scripts/clock-skew.sh has it too. */
const LIBRARY = '/usr/local/lib/gcelab/libfaketime.so';

/** The clock of an instance is days ahead, or behind. */
export const CLOCK_SKEW: Fault = {
  usage: 'DAYS',
  what: 'the clock is DAYS ahead; behind, if negative',
  start: async ([days = ''], instance) => {
    if (!/^[+-]?\d{1,5}$/.test(days)) throw new LabError('DAYS is a whole number.');
    await putLibrary(instance);
    await runScript(instance, 'clock-skew.sh', ['start', days]);
  },
  end: (instance) => endByScript(instance, 'clock-skew.sh'),
};

/** Takes the library out of an image of the instance's kind, so that nothing is installed on the instance. */
async function putLibrary(instance: string): Promise<void> {
  const kind = (await listInstances()).get(instance) ?? DEFAULT_KIND;
  const image = await ensureImage({
    name: `faketime-${kind}`,
    folder: join(import.meta.dirname, 'images/faketime'),
    base: await ensureBase(kind),
  });
  const read = 'base64 /usr/lib/*/faketime/libfaketime.so.1';
  const library = await docker(['run', '--rm', '--label', 'gcelab', image, 'sh', '-c', read]);
  const write = `mkdir -p ${LIBRARY.replace(/\/[^/]+$/, '')} && base64 -d >${LIBRARY}.new && mv ${LIBRARY}.new ${LIBRARY}`;
  await docker(['exec', '--interactive', containerOf(instance), 'sh', '-c', write], { stdin: library });
}
