import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LAB } from '../number.ts';

/** The checkout that this lab belongs to. */
export const CHECKOUT = resolve(import.meta.dirname, '../..');
/** Downloads, built images, binaries, the CA; survives `lab down`. */
export const CACHE = join(CHECKOUT, '.lab/cache');
/** Sockets and logs of the running lab: `run`, `run2`, … */
export const RUN = runFolderOf(CHECKOUT, LAB);

/** The folder of a running lab of a checkout. */
export function runFolderOf(checkout: string, lab: number): string {
  return join(checkout, '.lab', lab === 1 ? 'run' : `run${lab}`);
}

/** A folder under the cache, made when it is not there. */
export function cacheFolder(name: string): string {
  const folder = join(CACHE, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The folder of this lab, made when it is not there. */
export function runFolder(): string {
  mkdirSync(RUN, { recursive: true });
  return RUN;
}
