import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { containerOf } from '../instance.ts';
import { bootMachine, isRunning } from '../machine.ts';
import { docker, LabError } from '../process.ts';
import type { Fault } from './types.ts';

/** What the watching shell and whoever uses the fault tell each other; see pause/pause.sh. */
const FOLDER = '/var/lib/gcelab/pause';
const SHELL = '/usr/local/sbin/bash';

/**
 * Faults that stop the work on an instance at an exact place: the remote script in one of its steps, where it can
 * be killed, and the machine's power.
 */
export const PAUSE_FAULTS: Readonly<Record<string, Fault>> = {
  'pause-at-step': {
    usage: 'TURN COMMAND STEP',
    what: 'the remote script stops in a step',
    start: startPause,
    end: endPause,
  },
  'power-cut': {
    usage: '',
    what: 'the instance loses its power at once, and is started again',
    start: cutPower,
    end: async () => {},
  },
};

/**
 * TURN names this pause, so that the files of earlier ones do not matter; COMMAND is a number from 1 on, or the name of a
 * function that the step calls, CALLER/FUNCTION where more than one calls it; STEP is a function of the script, and the
 * first argument after a blank where that alone tells it from others.
 */
async function startPause([turn = '', command = '', step = '']: readonly string[], instance: string) {
  if (
    !/^\w+$/.test(turn) ||
    !/^([1-9]\d*|[a-z_]+(\/[a-z_]+)?)$/.test(command) ||
    !/^(any|step_\w+( \S+)?)$/.test(step)
  )
    throw new LabError(
      'pause-at-step takes a word, a number from 1 on or a function, and a step such as step_start_engine',
    );
  const container = containerOf(instance);
  const script = `mkdir -p ${FOLDER}
    base64 -d <<<"$1" >${FOLDER}/pause.sh
    [ -e ${SHELL} ] || { base64 -d <<<"$2" >${SHELL}; chmod 755 ${SHELL}; }
    printf '%s\\n' "$3" >${FOLDER}/target.new
    mv -f ${FOLDER}/target.new ${FOLDER}/target`;
  const target = `${turn} ${command} ${step}`;
  const words = [encoded('pause.sh'), encoded('bash'), target];
  await docker(['exec', container, '/bin/bash', '-euc', script, 'pause-at-step', ...words]);
}

/**
 * Nobody hears of it: without the rule the kernel would end the connections of the processes that die. The page cache
 * survives, which is the host's: what was written and not synced is there afterwards, as it would not be on a VM.
 */
async function cutPower(_args: readonly string[], instance: string): Promise<void> {
  const container = containerOf(instance);
  const silence =
    'add table inet dead; add chain inet dead out { type filter hook output priority -400; policy drop; }';
  await docker(['exec', container, 'nft', silence]);
  await docker(['kill', '--signal', 'KILL', container]);
  await bootMachine(container);
}

/** Whatever waits goes on; the files stay until then, since it looks for them. */
async function endPause(instance: string): Promise<void> {
  if (!(await isRunning(containerOf(instance)))) return;
  const script = `rm -f ${SHELL} ${FOLDER}/target
    for file in ${FOLDER}/reached.*; do [ ! -e "$file" ] || touch "${FOLDER}/go.\${file##*.}"; done`;
  await docker(['exec', containerOf(instance), '/bin/bash', '-euc', script]);
}

function encoded(file: string): string {
  return readFileSync(join(import.meta.dirname, 'pause', file)).toString('base64');
}
