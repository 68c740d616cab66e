import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../checkout.ts';
import { environment } from '../environment.ts';
import { containerOf, instanceName, instanceNumber } from '../instance.ts';
import { externalIp, internalIp } from '../network.ts';
import { attempt, LabError } from '../process.ts';
import { ACTION_FOLDER, RUNNER } from '../runner.ts';

/** A state that people have their machines in: a script that brings it about, and judges nothing. */
export interface Situation {
  readonly name: string;
  /** Where the script runs. Everywhere it has what `bin/lab env` prints. */
  readonly place: 'an instance' | 'the runner' | 'the host';
  /** What the machine is like afterwards. */
  readonly what: string;
  /** The issue or the documentation that it is taken from. */
  readonly source: string;
}

const FOLDER = import.meta.dirname;
const PRELUDE = 'prelude.sh';

/** All situations, by name. Throws where a recipe does not say in its first lines what it is. */
export function situations(): Situation[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sh') && file !== PRELUDE)
    .sort()
    .map((file) => parseSituation(file.slice(0, -3), readFileSync(join(FOLDER, file), 'utf8')));
}

/**
 * Reads the comment at a recipe's start: `# On an instance: WHAT` (or `the runner`, `the host`), then `# Source: WHERE`.
 *
 * @throws LabError without both.
 */
export function parseSituation(name: string, recipe: string): Situation {
  const place = /^# On (an instance|the runner|the host): (.+)$/m.exec(recipe);
  const source = /^# Source: (.+)$/m.exec(recipe);
  if (place === null || source === null)
    throw new LabError(
      `${name}.sh does not say '# On an instance|the runner|the host: …' and '# Source: …'.`,
    );
  return { name, place: place[1] as Situation['place'], what: String(place[2]), source: String(source[1]) };
}

/** One line a situation. */
export function situationUsage(): string {
  return situations()
    .map(
      ({ name, place, what }) => `  ${name.padEnd(30)}${place.replace(/^(an|the) /, '').padEnd(10)}${what}\n`,
    )
    .join('');
}

/**
 * Brings a machine into a situation. `machine` is registry-1, or the runner, where none is given.
 *
 * @throws LabError when there is no such situation, the machine is not of its kind, or the script fails.
 */
export async function bringAbout(
  name: string,
  machine: string | undefined,
  args: readonly string[],
): Promise<void> {
  const situation = situations().find((each) => each.name === name);
  if (situation === undefined)
    throw new LabError(`There is no situation '${name}'; there are:\n${situationUsage()}`);
  const isRunner = situation.place === 'the runner';
  const target = machine ?? (isRunner ? 'runner' : instanceName(1));
  if (isRunner !== (target === 'runner'))
    throw new LabError(`${name} is a situation of ${isRunner ? 'the runner' : 'an instance'}.`);
  if (!isRunner) instanceNumber(target);
  const variables = await variablesOf(isRunner ? instanceName(1) : target);
  const exports = Object.entries(variables).map(([key, value]) => `export ${key}='${value}'`);
  const files = [PRELUDE, `${name}.sh`].map((file) => readFileSync(join(FOLDER, file), 'utf8'));
  const stdin = [...exports, ...files].join('\n');
  const bash = ['bash', '-euo', 'pipefail', '-s', '--', ...args];
  const { status, stdout, stderr } = await (situation.place === 'the host'
    ? attempt('bash', bash.slice(1), { stdin })
    : attempt('docker', ['exec', '--interactive', containerOf(target), ...bash], { stdin }));
  process.stdout.write(stdout);
  if (status !== 0)
    throw new LabError(
      `${name}.sh ended with status ${status}:\n${stderr.trim().split('\n').slice(-15).join('\n')}`,
    );
}

/** What `bin/lab env` prints, for this instance, and what a recipe needs on the host to reach both machines. */
async function variablesOf(instance: string): Promise<Record<string, string>> {
  const lines = (await environment()).matchAll(/^export (\w+)='(.*)'$/gm);
  const number = instanceNumber(instance);
  return {
    ...Object.fromEntries([...lines].map(([, name, value]) => [name, value])),
    LAB_INSTANCE: instance,
    LAB_INSTANCE_IP: externalIp(number),
    LAB_INSTANCE_INTERNAL_IP: internalIp(number),
    LAB_INSTANCE_CONTAINER: containerOf(instance),
    LAB_RUNNER_CONTAINER: RUNNER,
    LAB_ACTION_FOLDER: ACTION_FOLDER,
    LAB_NODE: process.execPath,
    LAB_COMMAND: join(CHECKOUT, 'bin/lab'),
  };
}
