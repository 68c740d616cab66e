import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { down, downAll } from './machines/down.ts';
import { environment } from './machines/environment.ts';
import { clearFaults, faultUsage, startFault } from './machines/faults/fault.ts';
import { action } from './machines/github/action.ts';
import { workflow } from './machines/github/workflow.ts';
import { containerOf, instanceName, removeInstance } from './machines/instance.ts';
import { DEFAULT_KIND, kindOf } from './machines/kinds.ts';
import { LabError } from './machines/process.ts';
import { reset } from './machines/reset.ts';
import { bringAbout, situationUsage } from './machines/situations/situation.ts';
import { up } from './machines/up.ts';

const USAGE = `usage:
  bin/lab up [--instances N] [--kind KIND] [--quick]        start whatever does not run yet
  bin/lab env                                               print shell exports for other tools
  bin/lab action [OPTIONS] name=value …                     run dist/index.js on the runner machine
  bin/lab workflow FILE [OPTIONS]                           run a workflow file with act on the runner machine
  bin/lab exec MACHINE -- COMMAND …                         run a command as root on runner, registry-1, …
  bin/lab reset [MACHINE] [--kind KIND]                     back to bare machines
  bin/lab fault NAME [ARGUMENTS] [--instance NAME]          turn a fault on; clear ends all, list names them
  bin/lab situation NAME [MACHINE [ARGUMENTS]]              a machine as people have it; list names them
  bin/lab down [INSTANCE | --all]                           end this lab, one instance, or all labs; the cache stays
KIND is debian-12 or debian-13; docker-29, docker-28, docker-26 or docker-20 of the runner.
GCELAB, from 1 to 9, chooses the lab; 1 without it.
docs/lab.md tells more.
`;

/** Commands by name; each gets the arguments after it and returns its exit status. */
const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  up: async (args) => {
    const { values } = parseArgs({
      args,
      options: { instances: { type: 'string' }, kind: { type: 'string' }, quick: { type: 'boolean' } },
    });
    const instances = Number(values.instances ?? 1);
    if (!Number.isInteger(instances) || instances < 1)
      throw new LabError('--instances takes a number from 1 on.');
    const kind = kindOf(values.kind ?? DEFAULT_KIND);
    await up({ instances, kind, isQuick: values.quick ?? false });
    return 0;
  },
  env: async () => {
    process.stdout.write(await environment());
    return 0;
  },
  exec: async (args) => {
    const [machine, ...rest] = args;
    const command = rest[0] === '--' ? rest.slice(1) : rest;
    if (machine === undefined || command.length === 0)
      throw new LabError('usage: bin/lab exec MACHINE -- COMMAND …');
    const terminal = process.stdin.isTTY && process.stdout.isTTY ? ['--tty'] : [];
    const options = ['exec', '--interactive', ...terminal, containerOf(machine), ...command];
    return spawnSync('docker', options, { stdio: 'inherit' }).status ?? 255;
  },
  action,
  workflow,
  reset: async (args) => {
    const { values, positionals } = parseArgs({
      args,
      options: { kind: { type: 'string' } },
      allowPositionals: true,
    });
    await reset(positionals[0], values.kind);
    return 0;
  },
  fault: async (args) => {
    // A negative number is no option.
    const negative = (word: string) => /^-\d+$/.test(word);
    const { values, positionals } = parseArgs({
      args: [...args.filter((word) => !negative(word)), '--', ...args.filter(negative)],
      options: { instance: { type: 'string', default: instanceName(1) } },
      allowPositionals: true,
    });
    const [name = 'list', ...rest] = positionals;
    if (name === 'list') process.stdout.write(faultUsage());
    else if (name === 'clear') await clearFaults(values.instance);
    else await startFault(name, rest, values.instance);
    return 0;
  },
  situation: async ([name = 'list', machine, ...rest]) => {
    if (name === 'list') process.stdout.write(situationUsage());
    else await bringAbout(name, machine, rest);
    return 0;
  },
  down: async ([instance]) => {
    if (instance === '--all') await downAll();
    else await (instance === undefined ? down() : removeInstance(instance));
    return 0;
  },
};

async function main([name, ...args]: string[]): Promise<number> {
  const command = COMMANDS[name ?? ''];
  if (command === undefined) {
    process.stderr.write(USAGE);
    return name === undefined || name === '--help' ? 0 : 2;
  }
  try {
    return await command(args);
  } catch (error) {
    const isExpected = error instanceof LabError || (error instanceof TypeError && 'code' in error);
    if (!isExpected) throw error;
    process.stderr.write(`lab: ${(error as Error).message}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
