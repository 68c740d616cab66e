import { type Survey, survey } from '../converge/converge';
import type { Target } from '../converge/target';
import type { FirewallState } from '../firewall/plan';
import type { FirewallStep } from '../firewall/step';
import { firewallTarget, firewallTeardownTarget } from '../firewall/target';
import type { Instance } from '../google/compute';
import type { Facts } from '../instance/facts/facts';
import { asksForCertificate } from '../instance/plan/acme-plan';
import type { InstanceStep } from '../instance/plan/steps';
import type { Teardown } from '../instance/plan/teardown-plan';
import { loadCompose } from '../instance/remote/compose-release';
import type { FrontReplacement } from '../instance/remote/front-replacement';
import { type InstanceEvents, instanceTarget } from '../instance/target';
import type { Log } from '../job/log';
import { waitForAll } from '../job/wait-for-all';
import type { ScheduleState } from '../machine/schedule-plan';
import type { MachineStep } from '../machine/step';
import { DEFAULT_USER } from '../settings/table';
import type { Settings } from '../settings/types';
import type { SshConnection } from '../ssh/connection';
import { acmeName, challengeSources, requireNameOf } from './acme';
import { Admission, admitRunner } from './admission';
import type { Site } from './log-in';
import type { Place } from './place';
import { portsOf } from './registry-address';
import type { Run } from './run';
import { siteSchedule } from './schedule';
import { tlsOf } from './tls';

/** What setting a site up would change. */
export interface SiteSurvey {
  readonly firewall: Survey<FirewallState, FirewallStep>;
  /** Null where the instance could not be read. */
  readonly instance: Survey<Facts, InstanceStep> | null;
  /** Null where nothing is said of snapshots. */
  readonly machine: Survey<ScheduleState, MachineStep> | null;
  /** Settles when this runner is admitted, where that was asked for. */
  readonly admission: Promise<unknown>;
  /** Whether another run was seen to change the instance meanwhile. */
  readonly metOtherRun: () => boolean;
  /** How this run has replaced the container of the front; null: it has not. */
  readonly frontReplaced: () => FrontReplacement | null;
}

/**
 * Reads and plans firewall and instance side by side. Changes nothing that lasts, and throws for what cannot be mended.
 * With `admit` this runner is admitted meanwhile, as soon as the instance has said under which address it sees it.
 */
export async function surveySite(
  run: Run,
  site: Site,
  { admit }: { readonly admit: boolean },
): Promise<SiteSurvey> {
  const { log } = run;
  if (run.settings.mode !== 'teardown') warnOfEverybody(run.settings.firewall.ranges ?? [], log);
  const admission = new Admission(async (address) => {
    if (admit && !run.settings.dryRun) await admitRunner(run, site, address);
  });
  let hasMet = false;
  const onOtherRun = () => {
    hasMet = true;
  };
  let replaced: FrontReplacement | null = null;
  const onFrontReplaced = (how: FrontReplacement) => {
    replaced = how;
  };
  const events = { onClient: admission.begin, onOtherRun, onFrontReplaced };
  if (site.connection === null) {
    log.notice(
      'The instance was not read: a dry run changes nothing, so it needs `ssh-private-key` to log in',
    );
  }
  const schedule = siteSchedule(run, site);
  const [firewall, instance, machine] = await waitForAll<
    [SiteSurvey['firewall'], SiteSurvey['instance'], SiteSurvey['machine']]
  >([
    survey(siteFirewall(run, site), run),
    site.connection === null
      ? Promise.resolve(null)
      : survey(siteInstance(run, site.vm, site.connection, events), run),
    schedule === null ? Promise.resolve(null) : survey(schedule, run),
  ]);
  if (instance !== null) admission.begin(instance.state.client);
  await requireWayOfChallenges(run, site.vm, instance?.plan.steps ?? null);
  return {
    firewall,
    instance,
    machine,
    admission: admission.ended,
    metOtherRun: () => hasMet,
    frontReplaced: () => replaced,
  };
}

/**
 * Where a certificate is to be asked for, as far as is known.
 *
 * @param steps what is planned; null: that is not known
 */
async function requireWayOfChallenges(
  { settings: { registry }, reach, log }: Run,
  vm: Instance,
  steps: readonly InstanceStep[] | null,
): Promise<void> {
  if (registry.tls.kind !== 'acme') return;
  if (steps === null || asksForCertificate(steps))
    await requireNameOf(vm, acmeName(registry.host, vm), reach.dns, log);
}

/** The instance of this run as a target. */
export function siteInstance(
  { settings, job, log }: Run,
  vm: Instance,
  connection: SshConnection,
  events: Partial<InstanceEvents> = {},
): Target<Facts, InstanceStep> {
  return instanceTarget({
    connection,
    log,
    run: job.name,
    user: settings.ssh.user,
    registry: settings.registry,
    docker: settings.docker,
    tls: tlsOf(settings, vm),
    pushes: settings.push !== null,
    withImages: settings.mode === 'health-check',
    events,
    teardown: settings.mode === 'teardown' ? teardownOf(settings) : null,
    loadCompose: (arch) => loadCompose(settings.docker, arch, log),
  });
}

/** Runs with keys of their own log in as a user that these keys have made, unless the inputs name somebody. */
function teardownOf({ deleteData, ssh }: Settings): Teardown {
  const isOurs = ssh.privateKey === null && ssh.user === DEFAULT_USER;
  return { deleteData, login: isOurs ? ssh.user : null };
}

/** The firewall of this run as a target; `leaving` are ports that stay open beside those that are asked for. */
export function siteFirewall(
  { settings }: Run,
  place: Place,
  leaving: readonly number[] = [],
): Target<FirewallState, FirewallStep> {
  if (settings.mode === 'teardown') return firewallTeardownTarget(place.compute, settings.firewall, place);
  const challenges = challengeSources(settings, place.vm);
  const ports = [...portsOf(settings), ...leaving];
  return firewallTarget(place.compute, { ...settings.firewall, ports, challenges }, place);
}

/** Allowed when asked for. */
function warnOfEverybody(ranges: readonly string[], log: Log): void {
  const everybody = ranges.filter((range) => range === '0.0.0.0/0' || range === '::/0');
  if (everybody.length === 0) return;
  log.warning(
    `source-ranges has ${everybody.join(' and ')}: anybody on the internet can read and overwrite every image. ` +
      'With `runner` each run opens the ports for itself alone, and CIDRs can name the networks of your people.',
  );
}
