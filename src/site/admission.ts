import { expiredOpenings, openingRule } from '../firewall/opening';
import { covers } from '../firewall/ranges';
import type { Compute, FirewallRule, Instance } from '../gcp/compute';
import type { Run } from '../run';
import { portsOf } from './registry-address';

/**
 * Admits this runner for this run, by a firewall rule of its own that the post step deletes; not where the standing
 * rule admits it anyway, or `source-ranges` does not ask for it.
 *
 * @param address this runner's address, as the instance sees it
 */
export async function admitRunner(run: Run, compute: Compute, vm: Instance, address: string): Promise<void> {
  const { inputs, job, log, pending } = run;
  if (!inputs.firewall.runner || covers(inputs.firewall.ranges, address)) return;
  const rule = openingRule({
    vm,
    address,
    targetTag: inputs.firewall.targetTag,
    ports: portsOf(inputs),
    identity: job.identity,
    url: job.url,
    now: new Date(),
  });
  if (rule === null) return;
  log.info(`firewall: opening ${rule.name} admits this runner (${address}) until the post step`);
  pending.note('opening', { project: vm.network.project, name: rule.name });
  await compute.insertFirewallRule(vm.network.project, rule);
}

/** The admission of this runner: begun once, by whoever learns its address first. */
export class Admission {
  readonly #admit: (address: string) => Promise<void>;
  #begun: Promise<void> | null = null;

  constructor(admit: (address: string) => Promise<void>) {
    this.#admit = admit;
  }

  readonly begin = (address: string): void => {
    if (this.#begun !== null) return;
    this.#begun = this.#admit(address);
    // Whoever waits for it sees its error; nobody does where something else failed before.
    this.#begun.catch(() => undefined);
  };

  /** Settles when it has ended, or at once where it has not begun. */
  get ended(): Promise<void> {
    return this.#begun ?? Promise.resolve();
  }
}

/** Deletes the openings that runs of this instance left behind. */
export async function sweepOpenings(
  { log }: Run,
  compute: Compute,
  vm: Instance,
  rules: readonly FirewallRule[],
): Promise<void> {
  await Promise.all(
    expiredOpenings(rules, vm, new Date()).map(async ({ name }) => {
      log.info(`firewall: removing ${name}, which a run left behind`);
      await compute.deleteFirewallRule(vm.network.project, name);
    }),
  );
}
