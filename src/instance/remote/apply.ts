import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Plan } from '../../converge/change';
import { describeChange } from '../../converge/describe';
import type { Log } from '../../job/log';
import type { CommandResult, SshConnection } from '../../ssh/connection';
import { ActionError } from '../../values/errors';
import { shellQuote } from '../../values/quote';
import { excerpt, plain } from '../../values/show';
import { type Facts, parseFacts, parseUsersLine } from '../facts/facts';
import { COMPOSE_RELEASE_FILE } from '../plan/compose-plan';
import type { Action, HandOver, InstanceStep, RepositoryFiles, ServiceEndpoint } from '../plan/steps';
import { APPLY_SCRIPT, FACTS_SCRIPT } from './assets';
import type { ComposeProgram } from './compose-release';
import type { FrontReplacement } from './front-replacement';
import { ProgressPrinter } from './progress';
import { requireShell, shellCommand } from './remote-shell';
import { stepFailed } from './step-failed';

const APPLY_TIMEOUT_MS = 30 * 60_000;
/** apt and docker print a megabyte at most. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

/** What it takes to have a turn at an instance. */
export interface TurnOptions {
  readonly connection: SshConnection;
  readonly log: Log;
  /** Names this run in the logs of others. */
  readonly run: string;
  /** Arguments of `facts` in scripts/facts.sh, after the marker. */
  readonly factsArguments: readonly string[];
}

export interface ApplyOptions extends TurnOptions {
  readonly plan: Plan<InstanceStep>;
  /** Of the facts that the plan was made from: `lock.turn`. */
  readonly turn: string;
  /** The Compose plugin, when a step needs it. */
  readonly compose: ComposeProgram | null;
  /** The file with the logins, when a step needs it; null: there is to be none. */
  readonly users: string | null;
  /** Of the instance's facts. */
  readonly clockAhead: number;
}

/** What an instance says of itself. */
export interface Reading {
  readonly facts: Facts;
  /** The file with the logins; null: there is none. */
  readonly users: string | null;
}

export interface Applied extends Reading {
  /** Another run has changed the instance since the plan was made, so nothing was done: `facts` are those after it. */
  readonly outdated: boolean;
  /** How the container of the front was replaced; null: it was not. */
  readonly front: FrontReplacement | null;
}

/**
 * Runs all steps in order with one remote command, printing their output as it comes, and returns the facts that the
 * same command reads at its end. While another run changes the instance, it waits first.
 *
 * @throws ActionError of stepFailed, `Instance is busy`, `Setup was cut off`, and of SshConnection.run
 */
export async function applyPlan(options: ApplyOptions): Promise<Applied> {
  const token = randomUUID();
  const titles = options.plan.steps.map(({ change }) => describeChange(change));
  const { facts, users, progress, result } = await send(token, applyInput(token, options), titles, options);
  if (facts !== null) return { facts, users, outdated: progress.outdated, front: progress.front };
  const failed = progress.failure;
  if (failed !== null) {
    const action = options.plan.steps[failed.step]?.action;
    throw stepFailed(action, titles[failed.step] ?? '', failed, options.clockAhead);
  }
  throw endedEarly(progress, result);
}

/**
 * Waits until no other run changes the instance, and returns the facts of then. Changes nothing; the run that is at work
 * is told that somebody waits.
 *
 * @throws ActionError `Instance is busy`, `Setup was cut off`, and of SshConnection.run
 */
export async function waitForTurn(options: TurnOptions): Promise<Reading> {
  const token = randomUUID();
  const words = [token, nameOfRun(options.run)].map(shellQuote).join(' ');
  const call = `wait_and_read ${words} "$1" ${options.factsArguments.map(shellQuote).join(' ')}; exit 0`;
  const { facts, users, progress, result } = await send(token, `${FACTS_SCRIPT}\n${call}\n`, [], options);
  if (facts === null) throw endedEarly(progress, result);
  return { facts, users };
}

/** Sends a script, and prints what it says of its progress while it comes. */
async function send(
  token: string,
  stdin: string | Readable,
  titles: readonly string[],
  { connection, log }: TurnOptions,
): Promise<{ facts: Facts | null; users: string | null; progress: ProgressPrinter; result: CommandResult }> {
  const progress = new ProgressPrinter(token, titles, log);
  const printed = progress.print();
  const result = await connection
    .run(shellCommand(APPLY_TIMEOUT_MS), {
      stdin,
      timeoutMs: APPLY_TIMEOUT_MS,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      onLine: (line) => progress.push(line),
    })
    .finally(async () => {
      progress.end();
      await printed;
    });
  const marker = `${token} facts`;
  const [facts, users] = [parseFacts(result.stdout, marker), parseUsersLine(result.stdout, marker)];
  return { facts, users, progress, result };
}

function endedEarly(progress: ProgressPrinter, result: CommandResult): ActionError {
  if (progress.locked) return instanceBusy();
  if (!progress.started) requireShell(result);
  return new ActionError('Setup was cut off', {
    doing: 'setting up the instance',
    happened: `the script ended early${result.stderr === '' ? '' : `: ${excerpt(result.stderr)}`}`,
    next: 'Run again: what was done is kept, and the rest is done then',
  });
}

function instanceBusy(): ActionError {
  return new ActionError('Instance is busy', {
    doing: 'waiting for other runs of this action on the same instance',
    happened: 'they did not end within 15 min',
    next: 'Wait for the other runs, or give the jobs a common `concurrency` group',
  });
}

/** The name of a run as the lock's file has it: printable ASCII, and no blanks at its ends: it stands on a line of the lock's file, and is compared with that. */
export function nameOfRun(run: string): string {
  return plain(run, 300).replace(/[^ -~]/g, '?') || '-';
}

/** Scripts, plan and, behind them, the program; the last line starts it all. */
function applyInput(token: string, options: ApplyOptions): string | Readable {
  const steps = options.plan.steps.map(({ action }, index) => stepLine(index, action, options));
  const plan = `plan() {\n${steps.join('\n')}\n}\n`;
  const turn = [token, nameOfRun(options.run), options.turn].map(shellQuote).join(' ');
  const call = `apply ${turn} "$1" ${options.factsArguments.map(shellQuote).join(' ')}`;
  const script = `${FACTS_SCRIPT}\n${APPLY_SCRIPT}\n${plan}${call}\n`;
  if (options.compose === null) return script;
  return Readable.from(concatenated(script, options.compose));
}

async function* concatenated(script: string, compose: ComposeProgram): AsyncGenerator<Buffer> {
  yield Buffer.from(script);
  yield* compose.open();
}

function stepLine(index: number, action: Action, sent: Sent): string {
  const name = `step_${action.kind.replaceAll('-', '_')}`;
  return ['  step', String(index), name, ...wordsOf(action, sent).map(shellQuote)].join(' ');
}

/** What goes along with a plan, and is not in it. */
type Sent = Pick<ApplyOptions, 'compose' | 'users'>;

function wordsOf(action: Action, { compose, users }: Sent): readonly string[] {
  switch (action.kind) {
    case 'repair-packages':
    case 'start-engine':
      return [];
    case 'reload-engine':
      return action.mirrors;
    case 'install-packages':
    case 'install-engine':
    case 'remove-packages':
      return action.packages;
    case 'install-keyring':
      return [action.url, action.path];
    case 'check-repository':
      return [action.uri, action.suite, ...repositoryWords(action.otherwise)];
    case 'write-file':
      return [action.path, Buffer.from(action.content).toString('base64')];
    case 'make-ca':
    case 'make-certificate':
      return action.names;
    case 'use-certificate':
      return [action.chain, action.key].map((pem) => Buffer.from(pem).toString('base64'));
    case 'obtain-certificate':
      return [action.path, String(action.anew), action.endpoints.map(endpointWord).join(',')];
    case 'write-users':
      return users === null ? [] : [Buffer.from(users).toString('base64')];
    case 'configure-front':
      return [Buffer.from(action.content).toString('base64'), action.image ?? ''];
    case 'remove-file':
    case 'make-directory':
    case 'mark-data':
      return [action.path];
    case 'install-compose':
      if (compose === null) throw new Error('The Compose plugin was not loaded');
      return [String(compose.size), compose.sha256, COMPOSE_RELEASE_FILE, compose.release, action.path];
    case 'remove-stack':
      return [String(action.deleteData), action.dataPath, String(action.loginFollows)];
    case 'prune':
      return [
        gzipSync(action.lines).toString('base64'),
        action.readAt.toFixed(3),
        String(Math.floor(action.touchedSince)),
        String(action.windowSeconds),
      ];
    case 'mount-disk':
      return [action.device, action.mount, action.dataPath];
    case 'remove-login':
      return [action.login];
    case 'add-group':
      return [action.group];
    case 'add-to-group':
      return [action.user];
    case 'pull-images':
      return action.images;
    case 'start-containers':
      return [
        action.endpoints.map(endpointWord).join(','),
        action.subnet ?? '',
        action.stopFirst.join(','),
        action.recreate.join(','),
        (action.handOver?.ports ?? []).map(handOverPort).join(','),
        (action.handOver?.endpoints ?? []).map(endpointWord).join(','),
      ];
  }
}

/** Contents in base64; an empty one is a file that goes. */
function repositoryWords({ keyUrl, keyring, sources, content, replaced }: RepositoryFiles): string[] {
  const base64 = (text: string | null) => Buffer.from(text ?? '').toString('base64');
  const others = replaced.flatMap((file) => [file.path, base64(file.content)]);
  return [keyUrl, keyring, sources, base64(content), ...others];
}

function handOverPort({ port, loopback }: HandOver['ports'][number]): string {
  return `${port}:${loopback ? 'loopback' : 'everywhere'}`;
}

/** A service with its probe, as the scripts take it: `registry:http:5000:/v2/`. */
export function endpointWord({ service, scheme, port, path }: ServiceEndpoint): string {
  return `${service}:${scheme}:${port}:${path}`;
}
