import { asPlanned, converge, type Outcome, type Survey, survey } from '../../converge/converge';
import type { Target } from '../../converge/target';
import type { FirewallState } from '../../firewall/plan';
import type { FirewallStep } from '../../firewall/step';
import { firewallTarget } from '../../firewall/target';
import type { Compute, FirewallRule, Instance } from '../../google/compute';
import type { Facts } from '../../instance/facts/facts';
import type { InstanceStep } from '../../instance/plan/steps';
import { loadCompose } from '../../instance/remote/compose-release';
import { type InstanceEvents, instanceTarget } from '../../instance/target';
import type { Log } from '../../job/log';
import { together } from '../../job/together';
import type { SshConnection } from '../../ssh/connection';
import type { Run } from '../run';
import { Admission, admitRunner, sweep } from './admission';
import { firewallOf } from './firewall';
import { openGoogle, readRunningInstance } from './google';
import { login } from './login';
import { portsOf } from './registry-address';

/** The VM of a run, as Google knows it. */
export interface Place {
  readonly compute: Compute;
  readonly vm: Instance;
  /** Rules of the project that the instance's network is in. */
  readonly rules: Promise<readonly FirewallRule[]>;
}

/** The VM of a run, with the ways to it. */
export interface Site extends Place {
  /** Null in a dry run without a key of the user's: putting one into the metadata would be a change. */
  readonly connection: SshConnection | null;
}

/** Finds the instance. */
export async function find(run: Run): Promise<Place> {
  const { compute } = await openGoogle(run);
  const vm = await readRunningInstance(compute);
  return { compute, vm, rules: rulesOf(compute, vm) };
}

/** Logs in to the instance. */
export async function enter(run: Run, place: Place): Promise<Site> {
  const mayLogIn = !run.inputs.dryRun || run.inputs.ssh.privateKey !== null;
  const connection = mayLogIn ? await login(run, place.compute, place.vm) : null;
  return { ...place, connection };
}

/** Begins to read the rules around an instance; whoever needs them waits, and sees the error if there is one. */
export function rulesOf(compute: Compute, vm: Instance): Promise<readonly FirewallRule[]> {
  const rules = compute.listFirewallRules(vm.network.project);
  rules.catch(() => undefined);
  return rules;
}

/** What setting a site up would change. */
export interface SiteSurvey {
  readonly firewall: Survey<FirewallState, FirewallStep>;
  /** Null where the instance could not be read. */
  readonly instance: Survey<Facts, InstanceStep> | null;
  /** Settles when this runner is admitted, where that was asked for. */
  readonly admission: Promise<void>;
  /** Whether another run was seen to change the instance meanwhile. */
  readonly metOtherRun: () => boolean;
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
  warnOfEverybody(run.inputs.firewall.ranges ?? [], log);
  const admission = new Admission(async (address) => {
    if (admit && !run.inputs.dryRun) await admitRunner(run, site, address);
  });
  let hasMet = false;
  const onOtherRun = () => {
    hasMet = true;
  };
  if (site.connection === null) {
    log.notice(
      'The instance was not read: a dry run changes nothing, so it needs `ssh-private-key` to log in',
    );
  }
  const [firewall, instance] = await together<[SiteSurvey['firewall'], SiteSurvey['instance']]>([
    survey(siteFirewall(run, site), run),
    site.connection === null
      ? Promise.resolve(null)
      : survey(siteInstance(run, site.connection, { onClient: admission.begin, onOtherRun }), run),
  ]);
  if (instance !== null) admission.begin(instance.state.client);
  return { firewall, instance, admission: admission.ended, metOtherRun: () => hasMet };
}

/**
 * Carries out what was planned, firewall and instance side by side, and sees to it that this runner is admitted.
 * Openings that earlier runs left behind are removed. A dry run ends here.
 */
export async function setUp(
  run: Run,
  site: Site,
  { firewall, instance, admission, metOtherRun }: SiteSurvey,
): Promise<readonly Outcome<unknown>[]> {
  if (run.inputs.dryRun) return [asPlanned(firewall), ...(instance === null ? [] : [asPlanned(instance)])];
  const [first, second] = await together<[Outcome<unknown>, Outcome<unknown> | null, unknown, unknown]>([
    converge(firewall),
    instance === null ? Promise.resolve(null) : converge(instance),
    admission,
    sweep(run, site.compute, site.vm, site.rules),
  ]);
  // The run that has its turn at the instance last also has the last word on the ports.
  const again = metOtherRun() ? await converge(await survey(await freshFirewall(run, site), run)) : null;
  return [first, again, second].filter((each) => each !== null);
}

async function freshFirewall(run: Run, site: Site): Promise<Target<FirewallState, FirewallStep>> {
  const vm = await site.compute.getInstance();
  return siteFirewall(run, { ...site, vm, rules: rulesOf(site.compute, vm) });
}

/** Admits this runner where no set-up runs beside it: sees to the tag that an opening needs, and sweeps. */
export async function admitWithTag(run: Run, site: Site, address: string): Promise<void> {
  const { compute, vm, rules } = site;
  const { targetTag } = await firewallOf(run, site);
  await together<unknown[]>([
    run.inputs.firewall.runner
      ? compute.editTags((tags) => (tags.includes(targetTag) ? tags : [...tags, targetTag]))
      : Promise.resolve(),
    admitRunner(run, site, address),
    sweep(run, compute, vm, rules),
  ]);
}

/** The instance of this run as a target. */
export function siteInstance(
  { inputs, job, log }: Run,
  connection: SshConnection,
  events: Partial<InstanceEvents> = {},
): Target<Facts, InstanceStep> {
  return instanceTarget({
    connection,
    log,
    run: job.name,
    user: inputs.ssh.user,
    registry: inputs.registry,
    docker: inputs.docker,
    events,
    loadCompose: (arch) => loadCompose(inputs.docker, arch, log),
  });
}

/** The firewall of this run as a target. */
export function siteFirewall({ inputs }: Run, site: Site): Target<FirewallState, FirewallStep> {
  return firewallTarget(
    site.compute,
    { ...inputs.firewall, ranges: inputs.firewall.ranges ?? [], ports: portsOf(inputs) },
    site,
  );
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
