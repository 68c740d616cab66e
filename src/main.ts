import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as core from '@actions/core';
import { cleanUp } from './cleanup/clean-up';
import { Pending } from './cleanup/pending';
import { messageOf } from './errors';
import { localExec } from './exec';
import { readGoogleContext } from './gcp/context';
import type { Mode } from './inputs';
import { readInputs } from './inputs';
import { readJob } from './job';
import { actionsLog, type Log } from './log';
import { bootstrap } from './modes/bootstrap';
import { deploy } from './modes/deploy';
import { healthCheck } from './modes/health-check';
import { pushOnly } from './modes/push';
import { outputsOf, type Report } from './report/outputs';
import { healthTable, summaryOf } from './report/summary';
import type { Run } from './run';
import { localHost } from './runner/host';
import { plain } from './show';

const MODES: Readonly<Record<Mode, (run: Run) => Promise<Report>>> = {
  deploy,
  bootstrap,
  push: pushOnly,
  'health-check': healthCheck,
};

function prepare(): Run {
  const { env } = process;
  const log = actionsLog();
  maskInputs(log);
  const inputs = readInputs(core.getInput);
  return {
    inputs,
    job: readJob(env),
    google: readGoogleContext(env),
    log,
    host: localHost(localExec(env), env.DOCKER_CONFIG || join(homedir(), '.docker')),
    sleep: async (ms) => {
      await sleep(ms);
    },
    pending: pendingItems(),
  };
}

/** Before anything else, since a workflow may have its secrets from elsewhere than GitHub, which masks its own. */
function maskInputs(log: Log): void {
  const [key, token, credentials] = ['ssh-private-key', 'access-token', 'credentials-json'].map((name) =>
    core.getInput(name),
  );
  for (const secret of [key, token]) if (secret) log.mask(secret);
  // JSON is masked field by field once it is parsed: its other lines are no secrets.
  if (credentials && !/^\s*\{/.test(credentials)) log.mask(credentials);
}

async function main(): Promise<void> {
  const run = prepare();
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
  const run = prepare();
  for (const message of await cleanUp(run)) run.log.warning(message);
}

/** GitHub runs this file twice; what the main step saved tells the post step from it. */
const isPost = core.getState('isPost') !== '';
if (!isPost) core.saveState('isPost', 'true');

(isPost ? post() : main()).catch((error: unknown) => {
  core.setFailed(plain(messageOf(error)));
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    core.debug(cause.stack ?? cause.message);
});
