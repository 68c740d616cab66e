import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerOf } from '../instance.ts';
import { isRunning } from '../machine.ts';
import { docker } from '../process.ts';

/** Runs a file of `scripts/` as root on an instance. Throws LabError with its last words when it fails. */
export async function runScript(instance: string, name: string, args: readonly string[]): Promise<void> {
  const stdin = readFileSync(join(import.meta.dirname, 'scripts', name));
  const shell = ['exec', '--interactive', containerOf(instance), 'bash', '-euo', 'pipefail', '-s', '--'];
  await docker([...shell, ...args], { stdin });
}

/** The same with `end` as its argument; nothing happens on a machine that does not run, where no fault is left. */
export async function endByScript(instance: string, name: string): Promise<void> {
  if (await isRunning(containerOf(instance))) await runScript(instance, name, ['end']);
}
