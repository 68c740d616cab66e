import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN } from '../checkout.ts';
import { LabError } from '../process.ts';
import { GOOGLE_FAULTS } from './google.ts';
import { INSTANCE_FAULTS } from './instance.ts';
import { PAUSE_FAULTS } from './pause.ts';
import type { Fault } from './types.ts';
import { UPSTREAM_FAULTS } from './upstream.ts';
import { WIRE_FAULTS } from './wire.ts';

const FAULTS: Readonly<Record<string, Fault>> = {
  ...GOOGLE_FAULTS,
  ...INSTANCE_FAULTS,
  ...PAUSE_FAULTS,
  ...UPSTREAM_FAULTS,
  ...WIRE_FAULTS,
};

/** An empty file for every fault that may be on: `NAME INSTANCE`. */
const MARKS = join(RUN, 'faults');

/** Turns one fault on, for one instance where it is one of a machine. Throws LabError for a fault that is not there. */
export async function startFault(name: string, args: readonly string[], instance: string): Promise<void> {
  const fault = FAULTS[name];
  if (fault === undefined) throw new LabError(`There is no fault '${name}'; there are:\n${faultUsage()}`);
  const wanted = fault.usage.split(' ').filter((word) => word !== '');
  const least = wanted.filter((word) => !word.startsWith('[')).length;
  if (args.length < least || args.length > wanted.length)
    throw new LabError(`usage: bin/lab fault ${[name, ...wanted].join(' ')}`);
  mkdirSync(MARKS, { recursive: true });
  writeFileSync(join(MARKS, `${name} ${instance}`), '');
  await fault.start(args, instance);
}

/**
 * Ends every fault that was turned on with this instance. One that cannot be ended does not keep the others on; the
 * first error is thrown afterwards.
 */
export async function clearFaults(instance: string): Promise<void> {
  const begun = begunFaults(instance);
  const endings = await Promise.allSettled(begun.map((name) => FAULTS[name]?.end(instance)));
  for (const [index, { status }] of endings.entries()) {
    if (status === 'fulfilled') rmSync(join(MARKS, `${begun[index]} ${instance}`));
  }
  const failed = endings.find((ending) => ending.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function begunFaults(instance: string): string[] {
  mkdirSync(MARKS, { recursive: true });
  const marks = readdirSync(MARKS).map((mark) => mark.split(' '));
  return marks.flatMap(([name = '', of]) => (of === instance ? [name] : []));
}

/** One line a fault. */
export function faultUsage(): string {
  return Object.entries(FAULTS)
    .map(([name, { usage, what }]) => `  ${`${name} ${usage}`.padEnd(34)}${what}\n`)
    .join('');
}
