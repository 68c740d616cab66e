import { readGoogleContext } from './google/context';
import type { LocalCommands } from './job/exec';
import { readJob } from './job/job';
import type { Log } from './job/log';
import { resolveName } from './job/resolve';
import { dockerPlace } from './leases/docker-place';
import { credentialsHint } from './leases/google-place';
import { Journal } from './leases/journal';
import { lifetimeMs } from './leases/lifetime';
import { backup } from './modes/backup';
import { bootstrap } from './modes/bootstrap';
import { connect } from './modes/connect';
import { deploy } from './modes/deploy';
import { healthCheck } from './modes/health-check';
import { openGoogle } from './modes/place';
import { prune } from './modes/prune';
import { pushOnly } from './modes/push';
import type { Run } from './modes/run';
import { teardown } from './modes/teardown';
import { documentsOf, linkDocuments } from './report/documents';
import { failureMessage, failureSummary } from './report/failure';
import { outputsOf, type Report } from './report/outputs';
import { healthTable, summaryOf } from './report/summary';
import { tunnelStarter } from './route/start';
import { readSettings } from './settings/read';
import { SECRETS } from './settings/table';
import type { Mode, Settings } from './settings/types';
import { connect as connectBySsh } from './ssh/connect';
import type { Surroundings } from './surroundings';

export type Modes = Readonly<Record<Mode, (run: Run) => Promise<Report>>>;

const MODES: Modes = {
  deploy,
  bootstrap,
  push: pushOnly,
  connect,
  'health-check': healthCheck,
  prune,
  backup,
  teardown,
};

/**
 * The main step: reads the settings, runs the mode, and reports. What goes wrong fails the step, with an annotation and a
 * job summary. Never throws.
 */
export async function mainStep(around: Surroundings, commands: LocalCommands, modes = MODES): Promise<void> {
  try {
    maskInputs(around);
    const run = prepare(around, commands);
    const report = await modes[run.settings.mode](run);
    for (const [name, value] of Object.entries(outputsOf(report))) around.output(name, value);
    if (run.settings.summary) await around.summarise(summaryOf(report));
    if (report.health !== null) announce(report.health, around);
  } catch (error) {
    const documents = documentsOf(around.env);
    around.fail(failureMessage(error, documents));
    debugCauses(error, around.log);
    if (around.input('summary') === 'false') return;
    await around.summarise(failureSummary(error, around.input('instance'), documents)).catch(() => undefined);
  }
}

/** Before anything else, since a workflow may have its secrets from elsewhere than GitHub, which masks its own. */
export function maskInputs(
  { input, log }: Pick<Surroundings, 'input' | 'log'>,
  names: readonly string[] = SECRETS,
): void {
  for (const name of names) {
    const secret = input(name);
    // JSON is masked field by field once it is parsed: its other lines are no secrets.
    const isJson = name === 'credentials-json' && /^\s*\{/.test(secret);
    if (secret !== '' && !isJson) log.mask(secret);
  }
}

function prepare(around: Surroundings, commands: LocalCommands): Run {
  const { env, log, sleep } = around;
  const settings = readSettings(around.input, env.GITHUB_WORKSPACE);
  for (const secret of secretsOf(settings)) log.mask(secret);
  for (const warning of settings.warnings) log.warning(warning);
  const google = readGoogleContext(env);
  const dockerConfig = env.DOCKER_CONFIG || around.dockerConfig;
  return {
    settings,
    job: readJob(env),
    google,
    log,
    host: around.host(commands, dockerConfig),
    sleep,
    variables: around.variables,
    temporary: env.RUNNER_TEMP || around.temporary,
    reach: {
      google: openGoogle,
      ssh: connectBySsh,
      tunnel: tunnelStarter(around.program, env),
      dns: resolveName,
    },
    leases: {
      journal: new Journal(around.state),
      lifetimeMs: lifetimeMs(env.RUNNER_ENVIRONMENT),
      credentials: credentialsHint(settings.credentials, google),
      docker: dockerPlace(env, dockerConfig),
      now: Date.now,
    },
  };
}

/** Parts of the inputs that are secret by themselves: a line of a list is masked as a whole. */
function secretsOf({ registry: { access } }: Settings): string[] {
  return access.logins.flatMap(({ name, secret }) =>
    secret.kind === 'hash'
      ? [secret.hash]
      : [secret.password, Buffer.from(`${name}:${secret.password}`).toString('base64')],
  );
}

function announce({ state, checks }: NonNullable<Report['health']>, { env, log, fail }: Surroundings): void {
  log.foreign(healthTable(checks));
  const bad = checks.filter((check) => check.state !== 'healthy');
  const findings = bad.map(({ name, finding }) => `${name}: ${finding}`).join(' | ');
  const text = linkDocuments(`The registry is ${state}: ${findings}`, documentsOf(env));
  if (state === 'unhealthy') fail(text);
  if (state === 'degraded') log.warning(text);
}

function debugCauses(error: unknown, log: Log): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    log.debug(cause.stack ?? cause.message);
}
