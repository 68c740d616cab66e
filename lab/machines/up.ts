import { ensureHub } from '../hub/server.ts';
import { LAB } from '../number.ts';
import { ensureAptRepository } from '../packages/apt-repository.ts';
import { ensureComposeRelease } from '../packages/compose-release.ts';
import { ensureDockerToday } from '../packages/docker-today.ts';
import { CHECKOUT } from './checkout.ts';
import { ensureCloud } from './cloud.ts';
import { down } from './down.ts';
import { ensureEngine } from './engine.ts';
import { ACT, CONFORMANCE, CRANE, ensureGoProgram, PEBBLE } from './go.ts';
import { ensureHost } from './host.ts';
import { pruneImages } from './images.ts';
import {
  containerOf,
  ensureInstanceImage,
  instanceIsCurrent,
  instanceName,
  listInstances,
  recreateInstance,
} from './instance.ts';
import type { Kind } from './kinds.ts';
import { alone } from './lock.ts';
import { bootMachine, isRunning } from './machine.ts';
import { ensureNetwork } from './network.ts';
import { phase, say } from './phases.ts';
import { ensureRunnerImage, RUNNER, recreateRunner, runnerIsCurrent, runnerKind } from './runner.ts';
import { readLab, recordLab } from './state.ts';

export interface UpOptions {
  /** There are to be at least this many. */
  readonly instances: number;
  /** Of instances that do not exist yet. */
  readonly kind: Kind;
  /** Takes Debian's Docker for that of today where the latter has not been built, instead of building it. */
  readonly isQuick: boolean;
}

/** Brings up whatever of the lab does not run yet. */
export async function up(options: UpOptions): Promise<void> {
  const start = performance.now();
  await takeOver();
  await ensureHost();
  await phase('Docker engine', ensureEngine);
  // From here on the lab is up, and this checkout's.
  recordLab({});
  await ensureNetwork();
  const hub = await alone(() => ensureShared(options));
  const cloudIsNew = await ensureCloud(hub);
  await together([startRunner(), startInstances(options, cloudIsNew)]);
  await alone(pruneImages);
  say(`lab ${LAB} is up after ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** Makes what is in the cache, and the hub, whose address it returns. */
async function ensureShared({ kind, isQuick }: UpOptions): Promise<string> {
  const engine = isQuick ? Promise.resolve() : ensureDockerToday();
  const [hub] = await together([
    ensureHub(isQuick),
    engine.then(() => ensureAptRepository(kind)),
    ensureComposeRelease(),
    ensureInstanceImage(kind),
    engine.then(async () => ensureRunnerImage(await runnerKind())),
    // For stories alone, and they take a minute to build.
    ...[ACT, CONFORMANCE, CRANE, PEBBLE].map((program) =>
      isQuick ? Promise.resolve('') : ensureGoProgram(program),
    ),
  ]);
  return hub;
}

/** A lab belongs to one checkout: that with the same number of another one is taken down first. */
async function takeOver(): Promise<void> {
  const owner = readLab()?.checkout;
  if (owner === undefined || owner === CHECKOUT) return;
  await phase(`taking down lab ${LAB} of ${owner}`, down);
}

async function startRunner(): Promise<void> {
  if (await runnerIsCurrent()) return startAgain(RUNNER);
  await phase(`machine ${RUNNER}`, () => recreateRunner());
}

async function startInstances(options: UpOptions, cloudIsNew: boolean): Promise<void> {
  const existing = await listInstances();
  const wanted = new Map(existing);
  for (let number = 1; number <= options.instances; number++) {
    const name = instanceName(number);
    if (!wanted.has(name)) wanted.set(name, options.kind);
  }
  const starts = [...wanted].map(async ([name, kind]) => {
    if (!cloudIsNew && (await instanceIsCurrent(name, kind))) return startAgain(containerOf(name));
    await phase(`machine ${name} (${kind})`, () => recreateInstance(name, kind));
  });
  await together(starts);
}

/** A machine that is off keeps its disk. */
async function startAgain(container: string): Promise<void> {
  if (await isRunning(container)) return;
  await phase(`machine ${container} is off: starting it`, () => bootMachine(container));
}

/** As Promise.all, but nothing goes on in the background when one part has failed. */
async function together<const T extends readonly Promise<unknown>[]>(
  parts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}
