import { arch } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from './checkout.ts';
import { ACT, fileName } from './go.ts';
import { ensureBase, ensureImage } from './images.ts';
import { authority, containerOf } from './instance.ts';
import { DEFAULT_KIND } from './kinds.ts';
import { bootMachine, createMachine, imageOf, removeMachine } from './machine.ts';
import { RUNNER_IP } from './network.ts';

export const RUNNER = containerOf('runner');
/** Where the checkout is on the runner, read-only: the folder of a downloaded action, as on GitHub's. */
export const ACTION_FOLDER = '/home/runner/work/_actions/lab/gce-registry-action/main';
/** The lab's CA on every machine. */
export const CA_FILE = '/usr/local/share/ca-certificates/gcelab.crt';

/** Builds the image of the runner unless it is there. */
export async function ensureRunnerImage(): Promise<string> {
  return ensureImage({
    name: 'runner',
    folder: join(import.meta.dirname, 'images/runner'),
    base: await ensureBase(DEFAULT_KIND),
    args: { CHECKOUT: ACTION_FOLDER, NODE_PACKAGE: `node-linux-${arch()}`, ACT: fileName(ACT) },
    files: { 'ca.crt': authority() },
  });
}

/** Makes a fresh runner machine, in place of the one that is there, and boots it. */
export async function recreateRunner(): Promise<void> {
  const image = await ensureRunnerImage();
  await removeMachine(RUNNER);
  await createMachine({
    container: RUNNER,
    hostname: 'runner',
    image,
    ip: RUNNER_IP,
    hosts: {},
    labels: { 'gcelab.runner': 'true' },
    volumes: [`${CHECKOUT}:${ACTION_FOLDER}:ro`],
  });
  await bootMachine(RUNNER);
}

/** Whether there is a runner, made from the present recipe; running or not. */
export async function runnerIsCurrent(): Promise<boolean> {
  return (await imageOf(RUNNER)) === (await ensureRunnerImage());
}
