import { attempt } from '../process.ts';
import { ACTION_FOLDER } from '../runner.ts';
import { parseFileCommands } from './file-commands.ts';
import type { Job } from './job.ts';
import type { LogCommands } from './log-commands.ts';
import { asRunner, readOnRunner } from './runner-access.ts';
import type { Worker } from './worker.ts';

/** What came of one step. */
export interface StepResult {
  readonly exitCode: number;
  readonly seconds: number;
  readonly memoryMiB: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
}

const FILE_COMMANDS = {
  GITHUB_ENV: 'set_env',
  GITHUB_OUTPUT: 'set_output',
  GITHUB_PATH: 'add_path',
  GITHUB_STATE: 'save_state',
  GITHUB_STEP_SUMMARY: 'step_summary',
} as const;
/** How the runner cancels a step: SIGINT, then SIGTERM, then SIGKILL (actions/runner, ProcessInvoker). */
const SIGTERM_AFTER_MS = 7_500;
const SIGKILL_AFTER_MS = 10_000;

/**
 * What a step has written to its GITHUB_ENV, for the steps after it. The runner takes no variable of its own, and not
 * NODE_OPTIONS (docs.github.com, "Workflow commands: setting an environment variable").
 */
export async function variablesSetBy(name: string, job: Job): Promise<Record<string, string>> {
  const path = fileCommandPaths(name, job).GITHUB_ENV;
  const set = parseFileCommands((await readOnRunner([path]))[path] ?? '');
  return Object.fromEntries(
    Object.entries(set).filter(([variable]) => !/^(GITHUB_|RUNNER_|NODE_OPTIONS$)/.test(variable)),
  );
}

/** The files that must be on the runner before a step is run, empty. */
export function stepFiles(name: string, job: Job): Record<string, string> {
  const paths = [...Object.values(fileCommandPaths(name, job)), `${job.root}/${name}/usage`];
  return Object.fromEntries(paths.map((path) => [path, '']));
}

/** Where a step finds its file-command files, by variable. */
export function fileCommandPaths(name: string, job: Job): Record<keyof typeof FILE_COMMANDS, string> {
  const folder = `${job.temp}/_runner_file_commands`;
  const paths = Object.entries(FILE_COMMANDS).map(([variable, file]) => [
    variable,
    `${folder}/${file}_${name}`,
  ]);
  return Object.fromEntries(paths) as Record<keyof typeof FILE_COMMANDS, string>;
}

/**
 * Runs dist/index.js on the runner machine as one step, `main` or `post`, with file-command files of its own
 * (`stepFiles`); lines for the log go to `print` as they come.
 */
export async function runStep(
  name: string,
  job: Job,
  variables: Readonly<Record<string, string>>,
  worker: Worker,
  commands: LogCommands,
  print: (line: string) => void,
): Promise<StepResult> {
  const paths = fileCommandPaths(name, job);
  const own = `${job.root}/${name}`;
  const exitCode = await execute(own, job, { ...variables, ...paths }, worker, commands, print);
  const read = await readOnRunner([...Object.values(paths), `${own}/usage`]);
  const [seconds, kibibytes] = (read[`${own}/usage`] ?? '').trim().split(/\s+/).slice(-2).map(Number);
  return {
    exitCode,
    seconds: seconds ?? Number.NaN,
    memoryMiB: Math.round(((kibibytes ?? Number.NaN) / 1024) * 10) / 10,
    outputs: { ...commands.outputs, ...parseFileCommands(read[paths.GITHUB_OUTPUT] ?? '') },
    state: { ...commands.state, ...parseFileCommands(read[paths.GITHUB_STATE] ?? '') },
    summary: read[paths.GITHUB_STEP_SUMMARY] ?? '',
  };
}

async function execute(
  own: string,
  job: Job,
  variables: Readonly<Record<string, string>>,
  worker: Worker,
  commands: LogCommands,
  print: (line: string) => void,
): Promise<number> {
  const step = { folder: own, directory: job.workspace, script: `${ACTION_FOLDER}/dist/index.js`, variables };
  const stop = cancelling(own);
  return worker
    .run(step, (text) => {
      const line = commands.line(text);
      if (line !== null) print(line);
    })
    .finally(stop);
}

/** Hands a signal to this process on to the step, as the runner cancels a job. Returns how to end that. */
function cancelling(own: string): () => void {
  const timers: NodeJS.Timeout[] = [];
  const signal = (name: string) =>
    attempt('docker', asRunner(['sh', '-c', 'kill -s "$1" "$(cat "$0/pid")"', own, name]));
  const cancel = () => {
    if (timers.length > 0) return;
    timers.push(setTimeout(() => signal('TERM'), SIGTERM_AFTER_MS));
    timers.push(setTimeout(() => signal('KILL'), SIGKILL_AFTER_MS));
    signal('INT');
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, cancel);
  return () => {
    for (const timer of timers) clearTimeout(timer);
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, cancel);
  };
}
