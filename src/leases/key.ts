import type { Compute, Instance } from '../google/compute';
import type { Log } from '../job/log';
import { addSshKey, generateEphemeralKey, refuseOsLogin, removeSshKey, sshKeysEntry } from '../ssh/keypair';
import { GOOGLE_PLACE, type GooglePlace } from './google-place';
import type { LeaseRecord } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { type LateTools, removeLate } from './remove-late';
import { hasFields, isFlag, isTime, text } from './well-formed';

/** An SSH key of this run in the instance's metadata. */
export interface KeyLease extends LeaseRecord, GooglePlace {
  readonly kind: 'key';
  /** The line of `ssh-keys`: the public half. */
  readonly entry: string;
  /** The call that makes it has ended. Before that it may appear at any time. */
  readonly settled: boolean;
}

/** A key to log in with. */
export interface LoginKey {
  readonly privateKey: string;
  /** Settles when the instance has been told of it. */
  readonly admitted: Promise<unknown>;
  /** How long the instance may take to heed that. Milliseconds; undefined for the default. */
  readonly loginWithinMs?: number;
}

/**
 * Puts a new key into the metadata of this instance alone.
 *
 * @throws ActionError `OS Login is enabled`
 */
export function takeKey(
  { compute, vm, user }: { readonly compute: Compute; readonly vm: Instance; readonly user: string },
  terms: LeaseTerms,
  log: Log,
): LoginKey {
  refuseOsLogin(vm.name, vm.metadata.items);
  const { privateKey, publicKey } = generateEphemeralKey();
  log.mask(privateKey);
  const expires = expiryOf(terms);
  const entry = sshKeysEntry(user, publicKey, expires);
  const noted = terms.journal.note<KeyLease>({
    kind: 'key',
    project: vm.project,
    zone: vm.zone,
    instance: vm.name,
    credentials: terms.credentials,
    entry,
    settled: false,
    expires: expires.toISOString(),
  });
  const admitted = compute
    .editMetadata('ssh-keys', (value) => addSshKey(value, entry, new Date(terms.now())))
    .finally(() => noted.change({ settled: true }));
  return { privateKey, admitted };
}

/** Takes the key out of the instance's metadata. */
export async function releaseKey(key: KeyLease, compute: Compute, tools: LateTools): Promise<void> {
  await removeLate(`The key of this run in the metadata of ${key.instance}`, key.settled, tools, async () => {
    let found = false;
    // Read anew: what is known from the last look may be older than the key.
    await compute.getInstance();
    await compute.editMetadata('ssh-keys', (value) => {
      found ||= (value ?? '').split('\n').includes(key.entry);
      return removeSshKey(value, key.entry, new Date());
    });
    return found;
  });
  tools.log.info(`The key of this run is out of the metadata of ${key.instance}`);
}

export function isKeyLease(value: unknown): value is KeyLease {
  const entry = text(/^[^:\s]+:ssh-ed25519 [A-Za-z0-9+/=]+ google-ssh \{.*\}$/);
  return hasFields(value, {
    ...GOOGLE_PLACE,
    kind: text(/^key$/),
    entry,
    settled: isFlag,
    expires: isTime,
  });
}

/** The key where it could not be removed, and how to remove it by hand. */
export function describeKey({ project, zone, instance, entry, expires }: KeyLease): string {
  const where = `${instance} --project ${project} --zone ${zone}`;
  return (
    `an SSH key of ${entry.slice(0, entry.indexOf(':'))} in the metadata entry ssh-keys of ${instance}, which admits nobody after ` +
    `${expires}: write the other lines of ssh-keys, as \`gcloud compute instances describe ${where}\` shows them, to a file, and ` +
    `\`gcloud compute instances add-metadata ${where} --metadata-from-file ssh-keys=FILE\``
  );
}
