import { hasForGood, keepTag } from '../firewall/lent-tag';
import { waitForAll } from '../job/wait-for-all';
import { type HeldOpening, takeOpening } from '../leases/opening';
import { sweep } from '../leases/sweep';
import { releaseTargetTag, takeTargetTag } from '../leases/target-tag';
import { covers } from '../values/ranges';
import { firewallOf } from './firewall';
import type { Place } from './place';
import { portsOf } from './registry-address';
import type { Run } from './run';

/**
 * Admits this runner for this run, by a firewall rule of its own that the post step deletes; not where the standing
 * rule admits it anyway, or `source-ranges` does not ask for it.
 *
 * @param address this runner's address, as the instance sees it
 */
export async function admitRunner(run: Run, place: Place, address: string): Promise<HeldOpening | null> {
  const { settings, job, log, leases } = run;
  if (!settings.firewall.runner) return null;
  const { compute, vm } = place;
  const { targetTag, openTo } = await firewallOf(run, place);
  if (covers(openTo, address)) return null;
  const { identity, url } = job;
  const wish = { vm, address, ports: portsOf(settings), targetTag, identity, url };
  return takeOpening(wish, compute, leases, log);
}

/** The admission of this runner: begun once, by whoever learns its address first. */
export class Admission {
  readonly #admit: (address: string) => Promise<unknown>;
  #begun: Promise<unknown> | null = null;

  constructor(admit: (address: string) => Promise<unknown>) {
    this.#admit = admit;
  }

  readonly begin = (address: string): void => {
    if (this.#begun !== null) return;
    this.#begun = this.#admit(address);
    // Whoever waits for it sees its error; nobody does where something else failed before.
    this.#begun.catch(() => undefined);
  };

  /** Settles when it has ended, or at once where it has not begun. */
  get ended(): Promise<unknown> {
    return this.#begun ?? Promise.resolve();
  }
}

/** Admits this runner where no set-up runs beside it: sees to the tag that an opening needs, and sweeps. */
export async function admitForPush(run: Run, place: Place, address: string): Promise<void> {
  const { runner } = run.settings.firewall;
  const { targetTag } = await firewallOf(run, place);
  await waitForAll<unknown[]>([
    runner ? place.compute.editTags((tags) => keepTag(tags, targetTag)) : Promise.resolve(),
    admitRunner(run, place, address),
    sweepFor(run, place),
  ]);
}

/** Gives something back before the job ends. */
export type Release = () => Promise<void>;

/**
 * Admits this runner for the time of a health check. A tag that the instance lacks is lent to it: a check mends nothing,
 * so that what is wrong is still wrong, and reported, in the next one. Returns what takes a lent tag away again.
 */
export async function admitForCheck(run: Run, place: Place, address: string): Promise<Release> {
  const { vm, compute } = place;
  const { targetTag } = await firewallOf(run, place);
  const [opening] = await waitForAll<[HeldOpening | null, unknown]>([
    admitRunner(run, place, address),
    sweepFor(run, place),
  ]);
  if (opening === null || hasForGood(vm.tags.items, targetTag)) return async () => undefined;
  // After the opening: that is what tells others for how long the tag is needed.
  const wish = { vm, tag: targetTag, opening: opening.name };
  const { lease, noted } = await takeTargetTag(wish, compute, run.leases, run.log);
  return async () => {
    await opening.release(run);
    await releaseTargetTag(lease, compute, run.log);
    noted.end();
  };
}

/** Removes what dead runs left behind. A tag that was lent stays where this run wants it for good. */
export async function sweepFor(run: Run, place: Place): Promise<void> {
  const { log } = run;
  const { compute, vm, rules } = place;
  const { mode, ssh } = run.settings;
  const lentTag = mode === 'health-check' ? (await firewallOf(run, place)).targetTag : null;
  const hasDroppedKeys = ssh.privateKey === null;
  await sweep({ compute, vm, rules, log, user: ssh.user, hasDroppedKeys, lentTag });
}
