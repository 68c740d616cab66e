import { ensureDockerToday } from '../packages/docker-today.ts';
import { control } from './control.ts';
import { instanceName, instanceNumber, listInstances, recreateInstance } from './instance.ts';
import { DEFAULT_KIND, DEFAULT_RUNNER_KIND, type Kind, kindOf, runnerKindOf } from './kinds.ts';
import { phase } from './phases.ts';
import { recreateRunner } from './runner.ts';

/**
 * Back to bare machines: one by name, or all of them and the project too. An instance comes back with a fresh disk,
 * fresh tags and fresh metadata; it is of its own kind or of the one that is given. A runner is one of today unless another
 * kind is given: whoever comes next takes that for granted.
 */
export async function reset(machine: string | undefined, text: string | undefined): Promise<void> {
  if (machine === 'runner') return resetRunner(text);
  const kind = text === undefined ? undefined : kindOf(text);
  const existing = await listInstances();
  if (machine !== undefined) {
    const name = instanceName(instanceNumber(machine));
    return fresh(name, kind ?? existing.get(name) ?? DEFAULT_KIND);
  }
  await phase('project as new', () => control('POST', '/reset'));
  const instances = [...existing].map(([name, before]) => fresh(name, kind ?? before));
  await Promise.all([phase('fresh machine runner', () => recreateRunner(DEFAULT_RUNNER_KIND)), ...instances]);
}

async function resetRunner(text: string | undefined): Promise<void> {
  const kind = text === undefined ? undefined : runnerKindOf(text);
  if (kind === 'docker-29' || kind === 'docker-28') await ensureDockerToday();
  await phase(`fresh machine runner${kind === undefined ? '' : ` (${kind})`}`, () =>
    recreateRunner(kind ?? DEFAULT_RUNNER_KIND),
  );
}

function fresh(name: string, kind: Kind): Promise<void> {
  return phase(`fresh machine ${name} (${kind})`, () => recreateInstance(name, kind));
}
