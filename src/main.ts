import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as core from '@actions/core';
import { localCommands } from './job/exec';
import { actionsLog } from './job/log';
import { mainStep } from './main-step';
import { postStep } from './post-step';
import { TUNNEL_WORD } from './route/order';
import { serveTunnel } from './route/serve';
import { localHost } from './runner/host';
import type { Surroundings } from './surroundings';
import { plain } from './values/show';

/** This job on GitHub. */
const around: Surroundings = {
  env: process.env,
  program: process.argv[1] ?? '',
  log: actionsLog(),
  sleep: async (ms) => {
    await sleep(ms);
  },
  state: { save: core.saveState, get: core.getState },
  variables: { get: (name) => process.env[name], set: core.exportVariable },
  temporary: tmpdir(),
  dockerConfig: join(homedir(), '.docker'),
  input: (name) => core.getInput(name),
  output: core.setOutput,
  fail: (message) => core.setFailed(plain(message)),
  summarise: async (markdown) => {
    await core.summary.addRaw(markdown).write();
  },
  commands: localCommands,
  host: (commands, dockerConfig) => localHost(commands.exec, dockerConfig),
};

async function main(): Promise<void> {
  const commands = localCommands(process.env);
  onSignal(async (signal) => {
    core.info(`${signal}: this step is cancelled; the post step undoes what it made`);
    await Promise.race([commands.end(), sleep(ENDING_MS)]);
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
  await mainStep(around, commands);
}

async function post(): Promise<void> {
  onSignal(async (signal) => core.info(`${signal}: what the main step left is put away first`));
  await postStep(around);
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

/** The process of a tunnel, which the main step starts. */
async function tunnel(): Promise<never> {
  await serveTunnel(process);
  process.exit();
}

/** GitHub runs this file twice; what the main step saved tells the post step from it. */
function step(): Promise<void> {
  const isPost = core.getState('isPost') !== '';
  if (!isPost) core.saveState('isPost', 'true');
  return isPost ? post() : main();
}

void (process.argv[2] === TUNNEL_WORD ? tunnel() : step());
