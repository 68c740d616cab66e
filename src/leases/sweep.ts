import { expiredOpenings } from '../firewall/opening';
import type { Compute, FirewallRule, Instance } from '../google/compute';
import type { Log } from '../job/log';
import { waitForAll } from '../job/wait-for-all';
import { dropExpiredKeys } from '../ssh/keypair';
import { messageOf } from '../values/errors';
import { lentMarkOf } from '../values/names';
import { releaseTargetTag } from './target-tag';

export interface SweepOptions {
  readonly compute: Compute;
  readonly vm: Instance;
  readonly rules: Promise<readonly FirewallRule[]>;
  readonly log: Log;
  /** The login whose keys are looked at. */
  readonly user: string;
  /** This run put a key of its own into the metadata, and has dropped the expired ones with the same change. */
  readonly hasDroppedKeys: boolean;
  /** The tag that a health check may have lent to the instance; null where this run makes it stay. */
  readonly lentTag: string | null;
}

/**
 * Removes what earlier runs of this instance left behind and whose time is over: openings, the tags that they lent, and
 * keys of this login. What has not expired may belong to a run that lives, and stays.
 */
export async function sweep(options: SweepOptions): Promise<void> {
  await waitForAll<unknown[]>([sweepOpenings(options), sweepKeys(options)]);
}

async function sweepOpenings({ compute, vm, rules, log, lentTag }: SweepOptions): Promise<void> {
  const { project } = vm.network;
  await waitForAll(
    expiredOpenings(await rules, vm, new Date()).map(async ({ name }) => {
      log.info(`firewall: removing ${name}, which a run left behind`);
      await compute.deleteFirewallRule(project, name);
    }),
  );
  if (lentTag === null || !vm.tags.items.includes(lentMarkOf(lentTag))) return;
  await releaseTargetTag({ networkProject: project, tag: lentTag }, compute, log);
}

/**
 * A key that has expired opens nothing, so a run with a key of the user's, which may lack the permission for this, does
 * not fail for it.
 */
async function sweepKeys({ compute, vm, user, hasDroppedKeys, log }: SweepOptions): Promise<void> {
  const drop = (value: string | null) => dropExpiredKeys(value, user, new Date());
  const value = vm.metadata.items.find(({ key }) => key === 'ssh-keys')?.value ?? null;
  if (hasDroppedKeys || drop(value) === value) return;
  log.info(`ssh: removing expired keys of ${user}, which runs left behind, from the metadata`);
  try {
    await compute.editMetadata('ssh-keys', drop);
  } catch (error) {
    log.warning(`Expired SSH keys stay in the metadata of ${vm.name}: ${messageOf(error)}`);
  }
}
