import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * The compose files, to be filled in by stack.ts. They are files of their own, so that Compose can check them; each path
 * is one expression, which the bundler follows.
 */

export const STACK_TEMPLATE = readFileSync(join(__dirname, 'compose.yaml'), 'utf8');
export const JOXIT_TEMPLATE = readFileSync(join(__dirname, 'joxit.yaml'), 'utf8');
export const HYPER_TEMPLATE = readFileSync(join(__dirname, 'hyper.yaml'), 'utf8');
