import { expiredOpenings, openingRule } from '../../firewall/opening';
import type { Compute, FirewallRule, Instance } from '../../google/compute';
import { together } from '../../job/together';
import { dropExpiredKeys } from '../../ssh/keypair';
import { messageOf } from '../../values/errors';
import { covers } from '../../values/ranges';
import type { Run } from '../run';
import { firewallOf } from './firewall';
import { portsOf } from './registry-address';

/**
 * Admits this runner for this run, by a firewall rule of its own that the post step deletes; not where the standing
 * rule admits it anyway, or `source-ranges` does not ask for it.
 *
 * @param address this runner's address, as the instance sees it
 */
export async function admitRunner(
  run: Run,
  { compute, vm, rules }: { compute: Compute; vm: Instance; rules: Promise<readonly FirewallRule[]> },
  address: string,
): Promise<void> {
  const { inputs, job, log, pending } = run;
  if (!inputs.firewall.runner) return;
  const { targetTag, openTo } = await firewallOf(run, { vm, rules });
  if (covers(openTo, address)) return;
  const rule = openingRule({
    vm,
    address,
    targetTag,
    ports: portsOf(inputs),
    identity: job.identity,
    url: job.url,
    now: new Date(),
  });
  if (rule === null) return;
  log.info(`firewall: opening ${rule.name} admits this runner (${address}) until the post step`);
  const opening = { project: vm.network.project, name: rule.name };
  pending.note('opening', { ...opening, settled: false });
  await compute
    .insertFirewallRule(vm.network.project, rule)
    .finally(() => pending.note('opening', { ...opening, settled: true }));
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

/** Removes what earlier runs of this instance left behind and nobody needs: openings, and keys of this ssh-user. */
export async function sweep(
  run: Run,
  compute: Compute,
  vm: Instance,
  rules: Promise<readonly FirewallRule[]>,
): Promise<void> {
  await together<unknown[]>([
    rules.then((all) => sweepOpenings(run, compute, vm, all)),
    sweepKeys(run, compute, vm),
  ]);
}

/**
 * A key that has expired opens nothing, so a run with a key of the user's, which may lack the permission for this, does
 * not fail for it. A run with a key of its own has dropped the others when it added that.
 */
async function sweepKeys({ inputs, log }: Run, compute: Compute, vm: Instance): Promise<void> {
  const now = new Date();
  const drop = (value: string | null) => dropExpiredKeys(value, inputs.ssh.user, now);
  const value = vm.metadata.items.find(({ key }) => key === 'ssh-keys')?.value ?? null;
  if (inputs.ssh.privateKey === null || drop(value) === value) return;
  log.info(`ssh: removing expired keys of ${inputs.ssh.user}, which runs left behind, from the metadata`);
  try {
    await compute.editMetadata('ssh-keys', drop);
  } catch (error) {
    log.warning(`Expired SSH keys stay in the metadata of ${vm.name}: ${messageOf(error)}`);
  }
}

/** Deletes the openings that runs of this instance left behind. */
async function sweepOpenings(
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
