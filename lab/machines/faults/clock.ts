import { join } from 'node:path';
import { ensureBase, ensureImage } from '../images.ts';
import { containerOf, listInstances } from '../instance.ts';
import { DEFAULT_KIND } from '../kinds.ts';
import { docker, LabError } from '../process.ts';
import { endByScript, runScript } from './script.ts';
import type { Fault } from './types.ts';

/** In the instance; scripts/clock-skew.sh has it too. */
const FOLDER = '/usr/local/lib/gcelab';

/** The clock of an instance is days ahead, or behind. */
export const CLOCK_SKEW: Fault = {
  usage: 'DAYS',
  what: 'the clock is DAYS ahead; behind, if negative',
  start: async ([days = ''], instance) => {
    if (!/^-?\d{1,5}$/.test(days)) throw new LabError('DAYS is a whole number.');
    await putLibrary(instance);
    await runScript(instance, 'clock-skew.sh', ['start', days]);
  },
  end: (instance) => endByScript(instance, 'clock-skew.sh'),
};

/** Builds the library for the instance's release of Debian elsewhere, so that nothing is installed on the instance. */
async function putLibrary(instance: string): Promise<void> {
  const kind = (await listInstances()).get(instance) ?? DEFAULT_KIND;
  const image = await ensureImage({
    name: `clock-${kind}`,
    folder: join(import.meta.dirname, 'images/clock'),
    base: await ensureBase(kind),
  });
  const library = await docker(['run', '--rm', '--label', 'gcelab', image, 'base64', '/clock.so']);
  const write = `mkdir -p ${FOLDER} && base64 -d >${FOLDER}/new && mv ${FOLDER}/new ${FOLDER}/clock.so`;
  await docker(['exec', '--interactive', containerOf(instance), 'sh', '-c', write], { stdin: library });
}
