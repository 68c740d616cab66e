import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The scripts and compose files that are sent to an instance. They are files of their own, beside this module, so
 * that ShellCheck and Compose can check them; each path is one expression, which the bundler follows.
 */
export const FACTS_SCRIPT = readFileSync(join(__dirname, 'scripts/facts.sh'), 'utf8');
export const APPLY_SCRIPT = readFileSync(join(__dirname, 'scripts/apply.sh'), 'utf8');
export const REGISTRY_TEMPLATE = readFileSync(join(__dirname, 'stack/compose.yaml'), 'utf8');
export const JOXIT_TEMPLATE = readFileSync(join(__dirname, 'stack/joxit.yaml'), 'utf8');
export const HYPER_TEMPLATE = readFileSync(join(__dirname, 'stack/hyper.yaml'), 'utf8');
