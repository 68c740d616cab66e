import { action, lab, output, type Seen, shell, waitFor } from './lab';

// The script that sets up an instance is stopped in a step, and cut off there.

const FOLDER = '/var/lib/gcelab/pause';
/** The command line of the action on the runner. */
const RUN = 'node .*/dist/index.js';
let turn = 0;

/** A step of the script: its function, and the first argument where that tells it from others. */
export interface Step {
  readonly name: string;
  readonly argument: string;
}

const here = (): string => `${FOLDER}/reached.t${turn}`;

/** In the shell of the instance: the group of the script's processes. */
const group = (): string => `$(ps -o pgid= "$(cat ${here()})" | tr -d ' ')`;

/** How the set-up is cut off while it stands still. */
const KILLS = {
  /** All that the run has started on the instance. */
  script: () => output('registry-1', `kill -KILL -- -"${group()}"`),
  /** The shell alone: the step that it had started goes on to its end. */
  shell: async () => {
    await output('registry-1', `kill -KILL "$(cat ${here()})"`);
    await letGo();
  },
  power: () => lab('fault', 'power-cut'),
  /** The step prints something, by which it is seen that nobody is there; then it goes on to its end. */
  sshd: async () => {
    await output(
      'registry-1',
      `systemctl stop ssh.service
       pkill -KILL '^sshd' || true
       systemctl reset-failed ssh.service # The starts of a short time, which systemd counts, are not its own.
       systemctl start ssh.service
       echo >/proc/$(cat ${here()})/fd/3`,
    );
    await waitFor('registry-1', `! pgrep --pgroup "${group()}" --exact cat`, 30);
    await letGo();
  },
};
export type Kill = keyof typeof KILLS;

/** The steps of the plan that a run with these inputs sends; the run is killed before the first of them. */
export async function stepsOfPlan(inputs: Record<string, string>): Promise<Step[]> {
  await cutOff(inputs, { name: 'any', argument: '' }, 1, 'script');
  const plan = await output('registry-1', `cat ${FOLDER}/plan`);
  return [...plan.matchAll(/^ +step \d+ (step_\w+)(?: '([^' ]*)')?/gm)].map(
    ([, name = '', argument = '']) => ({
      name,
      argument: name === 'step_write_file' ? argument : '',
    }),
  );
}

/**
 * A run that stands still before the `command`-th command of a step, or after its last where it has fewer, or before the
 * first command of a function that it calls; and is cut off there. The runner dies as well: the same run would connect
 * again and go on, which is the story of faults-wire. Fails where the run ends, or takes longer, before it is there.
 *
 * @param flags those of bin/lab; without any, the post step comes after the kill
 */
export async function cutOff(
  inputs: Record<string, string>,
  { name, argument }: Step,
  command: number | string,
  kill: Kill,
  {
    seconds = 300,
    flags = ['--no-post'],
  }: { readonly seconds?: number; readonly flags?: readonly string[] } = {},
): Promise<void> {
  turn += 1;
  await lab('fault', 'pause-at-step', `t${turn}`, String(command), `${name} ${argument}`.trim());
  const run = action(inputs, flags);
  await Promise.race([reached(seconds), run.then(missed)]);
  await output('runner', `pkill -STOP -f '${RUN}'`);
  await KILLS[kill]();
  await output('runner', `pkill -KILL -f '${RUN}'`);
  await run;
}

/** What goes on does so, until it is over. */
async function letGo(): Promise<void> {
  await output('registry-1', `touch ${FOLDER}/go.t${turn}`);
  await waitFor('registry-1', 'flock --nonblock /run/gce-registry/lock true', 600);
}

/** Waits until the script of the run stands where it is to be killed. */
async function reached(seconds: number): Promise<void> {
  const { status } = await shell(
    'registry-1',
    `timeout ${seconds} bash -c 'until test -s ${here()}; do sleep 0.02; done'`,
  );
  if (status === 0) return;
  const { stdout } = await shell('registry-1', 'ps -eo pid,pgid,etime,args --forest');
  throw new Error(`no run came to turn ${turn} within ${seconds} s; on the instance there was\n${stdout}`);
}

function missed(seen: Seen): never {
  throw new Error(`the run did not come to turn ${turn}:\n${seen.maskedLog}`);
}
