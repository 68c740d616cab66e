import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '../values/quote';

/** Read at build time: the bundle carries the script beside it. */
const SCRIPT = readFileSync(join(__dirname, 'client-machine.sh'), 'utf8');

/**
 * A script by which a Debian or Ubuntu machine pulls from the registry, by hand or as the start-up script of a VM. There is
 * nothing secret in it.
 *
 * @param registry `host:port`
 * @param ca PEM of the authority that has to be trusted; null: none
 */
export function clientScript(registry: string, ca: string | null): string {
  return `#!/bin/sh\nregistry=${shellQuote(registry)}\nca=${shellQuote(ca ?? '')}\n${SCRIPT}`;
}
