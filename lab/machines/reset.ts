import { control } from './control.ts';
import { instanceName, instanceNumber, listInstances, recreateInstance } from './instance.ts';
import { DEFAULT_KIND, type Kind } from './kinds.ts';
import { phase } from './phases.ts';
import { recreateRunner } from './runner.ts';

/**
 * Back to bare machines: one by name, or all of them and the project too. An instance comes back with a fresh disk,
 * fresh tags and fresh metadata, of its own kind or of the one that is given.
 */
export async function reset(machine: string | undefined, kind: Kind | undefined): Promise<void> {
  if (machine === 'runner') return phase('fresh machine runner', recreateRunner);
  const existing = await listInstances();
  if (machine !== undefined) {
    const name = instanceName(instanceNumber(machine));
    return fresh(name, kind ?? existing.get(name) ?? DEFAULT_KIND);
  }
  await phase('project as new', () => control('POST', '/reset'));
  const instances = [...existing].map(([name, before]) => fresh(name, kind ?? before));
  await Promise.all([phase('fresh machine runner', recreateRunner), ...instances]);
}

function fresh(name: string, kind: Kind): Promise<void> {
  return phase(`fresh machine ${name} (${kind})`, () => recreateInstance(name, kind));
}
