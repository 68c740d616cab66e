import { diagnoseSsh } from '../firewall/diagnose';
import type { Compute, Instance } from '../gcp/compute';
import type { SshInput } from '../inputs';
import type { Run } from '../run';
import { connect } from '../ssh/connect';
import { SshTimedOut } from '../ssh/connect-errors';
import type { SshConnection } from '../ssh/connection';
import { type HostKeyPolicy, hostKeysFromGuestAttributes, parseHostKeys } from '../ssh/host-keys';
import { addSshKey, generateEphemeralKey, refuseOsLogin, sshKeysEntry } from '../ssh/keypair';
import { addressOf } from './google';

/** How long a key of a run that nobody cleans up after stays valid. */
const KEY_LIFETIME_MS = 60 * 60 * 1000;

/** One verified SSH connection to the instance, with the user's key or with one made for this run. */
export async function login(run: Run, compute: Compute, vm: Instance): Promise<SshConnection> {
  const { ssh } = run.inputs;
  const [privateKey, policy] = await Promise.all([
    ssh.privateKey ?? admitEphemeralKey(run, compute, vm),
    hostKeyPolicy(ssh, compute, vm),
  ]);
  const options = {
    host: addressOf(vm),
    port: ssh.port,
    user: ssh.user,
    privateKey,
    policy,
    ...(ssh.privateKey === null ? {} : { loginWithinMs: 0 }),
  };
  try {
    return await connect(options, run.log);
  } catch (error) {
    if (!(error instanceof SshTimedOut)) throw error;
    const rules = await compute.listFirewallRules(vm.network.project);
    throw new SshTimedOut(error.host, error.port, error.waitedMs, diagnoseSsh(rules, vm, ssh.port));
  }
}

/** Puts a new key into the metadata of this instance alone, and returns its private half. */
async function admitEphemeralKey(
  { inputs, log, pending }: Run,
  compute: Compute,
  vm: Instance,
): Promise<string> {
  refuseOsLogin(vm.name, vm.metadata.items);
  const { privateKey, publicKey } = generateEphemeralKey();
  log.mask(privateKey);
  const now = new Date();
  const entry = sshKeysEntry(inputs.ssh.user, publicKey, new Date(now.getTime() + KEY_LIFETIME_MS));
  pending.note('key', { project: vm.project, zone: vm.zone, instance: vm.name, entry });
  await compute.editMetadata('ssh-keys', (value) => addSshKey(value, entry, now));
  return privateKey;
}

async function hostKeyPolicy(
  { hostKey, port }: SshInput,
  compute: Compute,
  vm: Instance,
): Promise<HostKeyPolicy> {
  if (hostKey.kind === 'unverified') return { kind: 'unverified' };
  if (hostKey.kind === 'given') {
    const names = [vm.externalIp, vm.internalIp, vm.name].filter((name) => name !== null);
    return { kind: 'pinned', keys: parseHostKeys(hostKey.entries, names, port), source: 'ssh-host-key' };
  }
  const published = (await compute.getGuestAttributes('hostkeys/')) ?? [];
  return {
    kind: 'pinned',
    keys: hostKeysFromGuestAttributes(published),
    source: "the instance's guest attributes",
  };
}
