import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The checkout that this lab belongs to. */
export const CHECKOUT = resolve(import.meta.dirname, '../..');
/** Downloads, built images, binaries, the CA; survives `lab down`. */
export const CACHE = join(CHECKOUT, '.lab/cache');
/** Sockets and logs of the running lab. */
export const RUN = join(CHECKOUT, '.lab/run');

/** A folder under the cache, made when it is not there. */
export function cacheFolder(name: string): string {
  const folder = join(CACHE, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The folder of the running lab, made when it is not there. */
export function runFolder(): string {
  mkdirSync(RUN, { recursive: true });
  return RUN;
}
