import { diagnoseSsh } from '../../firewall/diagnose';
import type { Compute, Instance } from '../../google/compute';
import { together } from '../../job/together';
import type { SshSettings } from '../../settings/types';
import { connect } from '../../ssh/connect';
import { SshTimedOut } from '../../ssh/connect-errors';
import type { SshConnection } from '../../ssh/connection';
import { type HostKeyPolicy, hostKeysFromGuestAttributes, parseHostKeys } from '../../ssh/host-keys';
import { addSshKey, generateEphemeralKey, refuseOsLogin, sshKeysEntry } from '../../ssh/keypair';
import type { Run } from '../run';
import { addressesOf, addressOf } from './google';

/** How long a key of a run that nobody cleans up after stays valid. */
const KEY_LIFETIME_MS = 60 * 60 * 1000;

/**
 * One verified SSH connection to the instance, with the user's key or with one made for this run. It is made while
 * Google Cloud still takes the key in, and logs in as soon as that is done.
 */
export async function login(run: Run, compute: Compute, vm: Instance): Promise<SshConnection> {
  const { ssh } = run.inputs;
  const key = ssh.privateKey === null ? admitEphemeralKey(run, compute, vm) : givenKey(ssh.privateKey);
  const [connection] = await together<[SshConnection, unknown]>([
    connectWith(run, compute, vm, key),
    key.admitted,
  ]);
  return connection;
}

/** A key to log in with. */
interface LoginKey {
  readonly privateKey: string;
  /** Settles when the instance has been told of it. */
  readonly admitted: Promise<unknown>;
  /** How long the instance may take to heed that. Milliseconds; undefined for the default. */
  readonly loginWithinMs?: number;
}

function givenKey(privateKey: string): LoginKey {
  return { privateKey, admitted: Promise.resolve(), loginWithinMs: 0 };
}

/** Puts a new key into the metadata of this instance alone. */
function admitEphemeralKey({ inputs, log, pending }: Run, compute: Compute, vm: Instance): LoginKey {
  refuseOsLogin(vm.name, vm.metadata.items);
  const { privateKey, publicKey } = generateEphemeralKey();
  log.mask(privateKey);
  const now = new Date();
  const entry = sshKeysEntry(inputs.ssh.user, publicKey, new Date(now.getTime() + KEY_LIFETIME_MS));
  const item = { project: vm.project, zone: vm.zone, instance: vm.name, entry };
  pending.note('key', { ...item, settled: false });
  const admitted = compute
    .editMetadata('ssh-keys', (value) => addSshKey(value, entry, now))
    .finally(() => pending.note('key', { ...item, settled: true }));
  return { privateKey, admitted };
}

async function connectWith(
  { inputs: { ssh }, log }: Run,
  compute: Compute,
  vm: Instance,
  key: LoginKey,
): Promise<SshConnection> {
  const policy = await hostKeyPolicy(ssh, compute, vm);
  try {
    return await connect({ host: addressOf(vm), port: ssh.port, user: ssh.user, policy, ...key }, log);
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
