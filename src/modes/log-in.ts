import { diagnoseSsh } from '../firewall/diagnose';
import type { Compute, Instance } from '../google/compute';
import { waitForAll } from '../job/wait-for-all';
import { type LoginKey, takeKey } from '../leases/key';
import type { SshSettings } from '../settings/types';
import { SshTimedOut } from '../ssh/connect-errors';
import type { SshConnection } from '../ssh/connection';
import { type HostKeyPolicy, hostKeysFromGuestAttributes, parseHostKeys } from '../ssh/host-keys';
import { ActionError } from '../values/errors';
import type { Place } from './place';
import { addressesOf, addressOf } from './registry-address';
import type { Run } from './run';

/** The VM of a run, with the ways to it. */
export interface Site extends Place {
  /** Null in a dry run without a key of the user's: putting one into the metadata would be a change. */
  readonly connection: SshConnection | null;
}

/** The same where this run is logged in. */
export type Connected = Site & { readonly connection: SshConnection };

/** Logs in to the instance, where this run may. */
export async function connectTo(run: Run, place: Place): Promise<Site> {
  return { ...place, connection: mayLogIn(run) ? await logIn(run, place) : null };
}

/** A dry run changes nothing, so it makes no key. */
export function mayLogIn({ settings }: Run): boolean {
  return !settings.dryRun || settings.ssh.privateKey !== null;
}

/** For a dry run that cannot say what it is asked without a login. */
export function needsKey(instance: string, purpose: string): ActionError {
  return new ActionError('A dry run needs a key', {
    doing: `logging in to ${instance} to ${purpose}`,
    happened: 'a dry run changes nothing, so it makes no key of its own',
    next: 'Set `ssh-private-key` to a key that the instance accepts',
  });
}

/**
 * One verified SSH connection to the instance, with the user's key or with one made for this run. It is made while
 * Google Cloud still takes the key in, and logs in as soon as that is done.
 */
export async function logIn(run: Run, { compute, vm }: Place): Promise<SshConnection> {
  const { ssh } = run.settings;
  const key =
    ssh.privateKey === null
      ? takeKey({ compute, vm, user: ssh.user }, run.leases, run.log)
      : givenKey(ssh.privateKey);
  // Ends as soon as the key is refused, whatever the port does; the change has come to its end by then.
  const [connection] = await waitForAll<[SshConnection, unknown]>([
    connectWith(run, compute, vm, key),
    key.admitted,
  ]);
  return connection;
}

function givenKey(privateKey: string): LoginKey {
  return { privateKey, admitted: Promise.resolve(), loginWithinMs: 0 };
}

async function connectWith(
  { settings: { ssh }, reach, log }: Run,
  compute: Compute,
  vm: Instance,
  key: LoginKey,
): Promise<SshConnection> {
  const policy = await hostKeyPolicy(ssh, compute, vm);
  try {
    return await reach.ssh({ host: addressOf(vm), port: ssh.port, user: ssh.user, policy, ...key }, log);
  } catch (error) {
    if (!(error instanceof SshTimedOut)) throw error;
    const rules = await compute.listFirewallRules(vm.network.project);
    throw new SshTimedOut(error.host, error.port, error.waitedMs, diagnoseSsh(rules, vm, ssh.port));
  }
}

async function hostKeyPolicy(
  { hostKey, port }: SshSettings,
  compute: Compute,
  vm: Instance,
): Promise<HostKeyPolicy> {
  if (hostKey.kind === 'unverified') return { kind: 'unverified' };
  if (hostKey.kind === 'given') {
    const names = [...addressesOf(vm), vm.name, `compute.${vm.id}`];
    return { kind: 'pinned', keys: parseHostKeys(hostKey.entries, names, port), source: 'ssh-host-key' };
  }
  const published = (await compute.getGuestAttributes('hostkeys/')) ?? [];
  return {
    kind: 'pinned',
    keys: hostKeysFromGuestAttributes(published),
    source: "the instance's guest attributes",
  };
}
