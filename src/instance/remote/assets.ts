import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * The scripts that are sent to an instance. They are files of their own, beside this module, so that ShellCheck can check
 * them; each path is one expression, which the bundler follows.
 */

const ENVIRONMENT_SCRIPT = readFileSync(join(__dirname, 'scripts/environment.sh'), 'utf8');
const JSON_SCRIPT = readFileSync(join(__dirname, 'scripts/json.sh'), 'utf8');
const LOCK_SCRIPT = readFileSync(join(__dirname, 'scripts/lock.sh'), 'utf8');
const ENGINE_READING_SCRIPT = readFileSync(join(__dirname, 'scripts/facts-engine.sh'), 'utf8');
const STACK_READING_SCRIPT = readFileSync(join(__dirname, 'scripts/facts-stack.sh'), 'utf8');
const READING_SCRIPT = readFileSync(join(__dirname, 'scripts/facts.sh'), 'utf8');
const IMAGES_SCRIPT = readFileSync(join(__dirname, 'scripts/images.sh'), 'utf8');
const PRUNE_SCRIPT = readFileSync(join(__dirname, 'scripts/prune.sh'), 'utf8');
const PACKAGES_SCRIPT = readFileSync(join(__dirname, 'scripts/packages.sh'), 'utf8');
const CONTAINERS_SCRIPT = readFileSync(join(__dirname, 'scripts/containers.sh'), 'utf8');
const HAND_OVER_SCRIPT = readFileSync(join(__dirname, 'scripts/hand-over.sh'), 'utf8');
const TEARDOWN_SCRIPT = readFileSync(join(__dirname, 'scripts/teardown.sh'), 'utf8');
const CERTIFICATES_SCRIPT = readFileSync(join(__dirname, 'scripts/certificates.sh'), 'utf8');
const DISK_READING_SCRIPT = readFileSync(join(__dirname, 'scripts/facts-disk.sh'), 'utf8');
const DISKS_SCRIPT = readFileSync(join(__dirname, 'scripts/disks.sh'), 'utf8');
const STEPS_SCRIPT = readFileSync(join(__dirname, 'scripts/apply.sh'), 'utf8');

/** Ends with a function `facts`, which reads the state of an instance. */
export const FACTS_SCRIPT = [
  ENVIRONMENT_SCRIPT,
  JSON_SCRIPT,
  LOCK_SCRIPT,
  ENGINE_READING_SCRIPT,
  STACK_READING_SCRIPT,
  READING_SCRIPT,
].join('\n');
/** Ends with a function `read_images`, which lists what the registry has on its disk. */
export const LISTING_SCRIPT = [FACTS_SCRIPT, IMAGES_SCRIPT].join('\n');
/** Ends with functions `disk_facts_of`, which reads on which disk the data is, and `hold`, which keeps other runs away. */
export const DISK_SCRIPT = [FACTS_SCRIPT, DISK_READING_SCRIPT].join('\n');
/** Sent after FACTS_SCRIPT; ends with a function `apply`, which carries out a plan. */
export const APPLY_SCRIPT = [
  IMAGES_SCRIPT,
  PACKAGES_SCRIPT,
  CONTAINERS_SCRIPT,
  HAND_OVER_SCRIPT,
  PRUNE_SCRIPT,
  TEARDOWN_SCRIPT,
  DISKS_SCRIPT,
  CERTIFICATES_SCRIPT,
  STEPS_SCRIPT,
].join('\n');
