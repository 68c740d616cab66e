import { openingRule } from '../firewall/opening';
import type { Compute, Instance } from '../google/compute';
import type { Log } from '../job/log';
import type { RunIdentity } from '../values/names';
import { GOOGLE_PLACE, type GooglePlace, isProject } from './google-place';
import type { LeaseRecord } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { type LateTools, removeLate } from './remove-late';
import { hasFields, isFlag, isTime, text } from './well-formed';

/** A firewall rule that admits this runner, for this run. */
export interface OpeningLease extends LeaseRecord, GooglePlace {
  readonly kind: 'opening';
  /** The project that the instance's network is in, and so its rules (Shared VPC). */
  readonly networkProject: string;
  readonly name: string;
  /** The call that makes it has ended. Before that it may appear at any time. */
  readonly settled: boolean;
}

export interface OpeningWish {
  readonly vm: Instance;
  /** This runner's address, as the instance sees it. */
  readonly address: string;
  readonly ports: readonly number[];
  readonly targetTag: string;
  readonly identity: RunIdentity;
  /** Address of the run, for people; null outside GitHub. */
  readonly url: string | null;
}

/** An opening that this run has made. */
export interface HeldOpening {
  readonly name: string;
  /** Closes it before the job ends. */
  readonly release: (tools: LateTools) => Promise<void>;
}

/** Admits this runner. Null where `address` is no address: then nobody is admitted. */
export async function takeOpening(
  wish: OpeningWish,
  compute: Compute,
  terms: LeaseTerms,
  log: Log,
): Promise<HeldOpening | null> {
  const { vm, address } = wish;
  const expires = expiryOf(terms);
  const rule = openingRule({ ...wish, expires });
  if (rule === null) return null;
  log.info(`firewall: opening ${rule.name} admits this runner (${address}) until the post step`);
  const lease: OpeningLease = {
    kind: 'opening',
    project: vm.project,
    zone: vm.zone,
    instance: vm.name,
    credentials: terms.credentials,
    networkProject: vm.network.project,
    name: rule.name,
    settled: false,
    expires: expires.toISOString(),
  };
  const noted = terms.journal.note(lease);
  await compute.insertFirewallRule(vm.network.project, rule).finally(() => noted.change({ settled: true }));
  const release = async (tools: LateTools) => {
    await releaseOpening({ ...lease, settled: true }, compute, tools);
    noted.end();
  };
  return { name: rule.name, release };
}

/** Deletes the opening. Does nothing, the second time. */
export async function releaseOpening(
  { networkProject, name, settled }: OpeningLease,
  compute: Compute,
  tools: LateTools,
): Promise<void> {
  await removeLate(`The opening ${name}`, settled, tools, () =>
    compute.deleteFirewallRule(networkProject, name),
  );
  tools.log.info(`The opening ${name} is closed`);
}

/** A name that only openings have, so that no record leads to another rule. */
export const isOpeningName = text(/^(?=.{1,63}$)[a-z][-a-z0-9]*-registry-run-[0-9a-f]{12}$/);

export function isOpeningLease(value: unknown): value is OpeningLease {
  return hasFields(value, {
    ...GOOGLE_PLACE,
    kind: text(/^opening$/),
    networkProject: isProject,
    name: isOpeningName,
    settled: isFlag,
    expires: isTime,
  });
}

/** The opening where it could not be closed, and how to close it by hand. */
export function describeOpening({ name, networkProject }: OpeningLease): string {
  return `the firewall rule ${name}: \`gcloud compute firewall-rules delete ${name} --project ${networkProject}\``;
}
