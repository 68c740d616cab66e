import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as core from '@actions/core';
import { readGoogleContext } from './google/context';
import { type LocalCommands, localCommands } from './job/exec';
import { readJob } from './job/job';
import { actionsLog, type Log } from './job/log';
import { cleanUp } from './leases/clean-up';
import { Pending } from './leases/pending';
import { bootstrap } from './modes/bootstrap';
import { deploy } from './modes/deploy';
import { healthCheck } from './modes/health-check';
import { pushOnly } from './modes/push';
import type { Run } from './modes/run';
import { openGoogle } from './modes/site/google';
import { outputsOf, type Report } from './report/outputs';
import { healthTable, summaryOf } from './report/summary';
import { localHost } from './runner/host';
import { readSettings } from './settings/read';
import { SECRETS } from './settings/table';
import type { Mode } from './settings/types';
import { messageOf } from './values/errors';
import { plain } from './values/show';

const MODES: Readonly<Record<Mode, (run: Run) => Promise<Report>>> = {
  deploy,
  bootstrap,
  push: pushOnly,
  'health-check': healthCheck,
};

function prepare(commands: LocalCommands): Run {
  const { env } = process;
  const log = actionsLog();
  maskInputs(log);
  const inputs = readSettings(core.getInput, env.GITHUB_WORKSPACE);
  for (const warning of inputs.warnings) log.warning(warning);
  return {
    inputs,
    job: readJob(env),
    google: readGoogleContext(env),
    log,
    host: localHost(commands.exec, env.DOCKER_CONFIG || join(homedir(), '.docker')),
    sleep: async (ms) => {
      await sleep(ms);
    },
    pending: pendingItems(),
  };
}

/** Before anything else, since a workflow may have its secrets from elsewhere than GitHub, which masks its own. */
function maskInputs(log: Log): void {
  for (const name of SECRETS) {
    const secret = core.getInput(name);
    // JSON is masked field by field once it is parsed: its other lines are no secrets.
    const isJson = name === 'credentials-json' && /^\s*\{/.test(secret);
    if (secret !== '' && !isJson) log.mask(secret);
  }
}

async function main(): Promise<void> {
  const commands = localCommands(process.env);
  onSignal(async (signal) => {
    core.info(`${signal}: this step is cancelled; the post step undoes what it made`);
    await Promise.race([commands.end(), sleep(ENDING_MS)]);
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
  const run = prepare(commands);
  const report = await MODES[run.inputs.mode](run);
  for (const [name, value] of Object.entries(outputsOf(report))) core.setOutput(name, value);
  if (run.inputs.summary) await core.summary.addRaw(summaryOf(report)).write();
  if (report.health !== null) announce(report.health, run.log);
}

function announce({ state, checks }: NonNullable<Report['health']>, log: Log): void {
  log.foreign(healthTable(checks));
  const bad = checks.filter((check) => check.state !== 'healthy');
  const text = `The registry is ${state}: ${bad.map(({ name, finding }) => `${name}: ${finding}`).join(' | ')}`;
  if (state === 'unhealthy') core.setFailed(plain(text));
  if (state === 'degraded') log.warning(text);
}

function pendingItems(): Pending {
  return new Pending({ save: core.saveState, get: core.getState });
}

/**
 * Its failures are warnings: the job's result is that of its main steps. Without anything to undo it does not even
 * read the inputs, which may be what the main step has refused.
 */
async function post(): Promise<void> {
  if (pendingItems().empty) return;
  onSignal(async (signal) => core.info(`${signal}: what the main step left is put away first`));
  const run = prepare(localCommands(process.env));
  const openCompute = async (options: { operationLimitMs: number }) =>
    (await openGoogle(run, options)).compute;
  for (const message of await cleanUp({ ...run, openCompute })) run.log.warning(message);
}

/**
 * GitHub cancels a step with SIGINT, after 7.5 s SIGTERM, after 2.5 s more SIGKILL. Node would die of the first one at
 * once, and leave its commands running beside the post step.
 *
 * https://docs.github.com/actions/reference/workflow-cancellation-reference
 */
function onSignal(act: (signal: 'SIGINT' | 'SIGTERM') => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void act(signal));
}

/** Commands that change this machine end within this, before SIGTERM comes. */
const ENDING_MS = 6000;

/** GitHub runs this file twice; what the main step saved tells the post step from it. */
const isPost = core.getState('isPost') !== '';
if (!isPost) core.saveState('isPost', 'true');

(isPost ? post() : main()).catch((error: unknown) => {
  core.setFailed(plain(messageOf(error)));
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    core.debug(cause.stack ?? cause.message);
});
