import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { attempt, docker } from '../process.ts';
import { ambientCredentials } from './credentials.ts';
import { assignments, inputVariables } from './inputs.ts';
import { EVENT, type Job, newJob } from './job.ts';
import { LogCommands } from './log-commands.ts';
import { asRunner, writeOnRunner } from './runner-access.ts';
import { watch } from './seen.ts';
import { fileCommandPaths, runStep, type StepResult, stepFiles, variablesSetBy } from './step.ts';
import { Worker } from './worker.ts';

const OPTIONS = {
  json: { type: 'string' },
  'no-post': { type: 'boolean' },
  // A later step of the same job: a shell command, run between main and post if main succeeded.
  later: { type: 'string' },
  // Inputs are empty in the post step, as in nested composite actions (actions/runner issues 2800 and 3514).
  'post-without-inputs': { type: 'boolean' },
  env: { type: 'string', multiple: true },
  credentials: { type: 'string' },
  permissions: { type: 'string' },
  keep: { type: 'boolean' },
} as const;

/**
 * Runs dist/index.js as one step of a job on the runner machine, then its post step, and returns the exit status of
 * the first that failed.
 */
export async function action(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const inputs = assignments(positionals);
  const job = newJob();
  const variables: Record<string, string> = { ...job.variables, ...inputVariables(inputs) };
  const ownCredentials = inputs['credentials-json'] || inputs['access-token'];
  const kind = values.credentials ?? (ownCredentials ? 'none' : 'external-account');
  const ambient = await ambientCredentials(job, kind, values.permissions?.split(','));
  Object.assign(variables, ambient.variables, assignments(values.env ?? []));
  try {
    await writeOnRunner({ ...ambient.files, ...jobFiles(job) });
    const endWatch = watch(inputs.instance);
    const { main, later, post, log, commands } = await runJob(job, variables, {
      later: values.later,
      noPost: values['no-post'] === true,
      withoutInputs: values['post-without-inputs'] === true,
    });
    const seen = await endWatch();
    if (values.json !== undefined) {
      const { exitCode, seconds, memoryMiB, outputs, state } = main;
      const report = {
        exitCode,
        seconds,
        memoryMiB,
        outputs,
        state,
        summary: main.summary + (post?.summary ?? ''),
      };
      const shortPost = post === null ? null : { exitCode: post.exitCode, seconds: post.seconds };
      const whole = {
        ...report,
        later,
        post: shortPost,
        annotations: commands.annotations,
        maskedLog: log,
        ...seen,
      };
      writeFileSync(values.json, `${JSON.stringify(whole, null, 2)}\n`);
    }
    return main.exitCode || later?.exitCode || (post?.exitCode ?? 0);
  } finally {
    if (!values.keep) await docker(asRunner(['rm', '-rf', job.root]));
  }
}

interface JobResult {
  readonly main: StepResult;
  readonly later: LaterStep | null;
  readonly post: StepResult | null;
  readonly log: string;
  readonly commands: LogCommands;
}

/** The main step, then the post step with what the main step saved, also when that failed. Masks last for the job. */
async function runJob(
  job: Job,
  variables: Readonly<Record<string, string>>,
  {
    later,
    noPost,
    withoutInputs,
  }: { readonly later: string | undefined; readonly noPost: boolean; readonly withoutInputs: boolean },
): Promise<JobResult> {
  const commands = new LogCommands(variables.RUNNER_DEBUG === '1');
  const lines: string[] = [];
  const print = (line: string) => {
    lines.push(line);
    process.stdout.write(`${line}\n`);
  };
  const worker = new Worker();
  const main = await runStep('main', job, variables, worker, commands, print);
  const setByMain = await variablesSetBy('main', job);
  const step =
    later === undefined || main.exitCode !== 0 ? null : await laterStep(later, job, main.outputs, setByMain);
  if (step !== null) print(step.output);
  let post: StepResult | null = null;
  if (!noPost) {
    const state = Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value]);
    const inputs = Object.keys(variables).filter((name) => withoutInputs && name.startsWith('INPUT_'));
    const changed = {
      ...variables,
      ...Object.fromEntries(inputs.map((name) => [name, ''])),
      ...setByMain,
      ...(await variablesSetBy('later', job)),
    };
    print('##[group]Post step');
    print('##[endgroup]');
    post = await runStep('post', job, { ...changed, ...Object.fromEntries(state) }, worker, commands, print);
    await worker.clean(job.trackingId, print);
  }
  worker.end();
  return { main, later: step, post, log: lines.map((line) => `${line}\n`).join(''), commands };
}

interface LaterStep {
  readonly exitCode: number;
  /** Both streams. */
  readonly output: string;
}

/**
 * A `run:` step after the action; it gets what the action wrote to GITHUB_ENV, and its outputs as variables
 * `OUTPUT_<name>`, hyphens as `_`. What it writes to GITHUB_ENV itself holds for the post step.
 */
async function laterStep(
  command: string,
  job: Job,
  outputs: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
): Promise<LaterStep> {
  const values = [
    ...Object.entries(variables).map((pair) => pair.join('=')),
    ...Object.entries(outputs).map(([name, value]) => `OUTPUT_${name.replaceAll('-', '_')}=${value}`),
  ];
  values.push(...Object.entries(fileCommandPaths('later', job)).map((pair) => pair.join('=')));
  const options = ['--workdir', job.workspace, ...values.flatMap((value) => ['--env', value])];
  const script = ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', `exec 2>&1; ${command}`];
  const { status, stdout } = await attempt('docker', asRunner(script, options));
  return { exitCode: status, output: stdout.trimEnd() };
}

function jobFiles(job: Job): Record<string, string> {
  return {
    [String(job.variables.GITHUB_EVENT_PATH)]: EVENT,
    [`${job.workspace}/README.md`]: '# octo-repo\n',
    ...stepFiles('main', job),
    ...stepFiles('later', job),
    ...stepFiles('post', job),
  };
}
