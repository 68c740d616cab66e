import { lendTag, takeLentTagAway } from '../firewall/lent-tag';
import { liveOpenings } from '../firewall/opening';
import type { Compute, Instance } from '../google/compute';
import type { Log } from '../job/log';
import { lentMarkOf, RESOURCE_NAME } from '../values/names';
import { GOOGLE_PLACE, type GooglePlace, isProject } from './google-place';
import type { LeaseRecord, Noted } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { isOpeningName } from './opening';
import { hasFields, isTime, text } from './well-formed';

/** A tag that an instance has only for as long as health checks need it. */
export interface TargetTagLease extends LeaseRecord, GooglePlace {
  readonly kind: 'target-tag';
  readonly networkProject: string;
  readonly tag: string;
  /** The opening of the same run, which holds the tag. */
  readonly opening: string;
}

/** Lends the tag to the instance, for as long as there is the opening, which has to be there already. */
export async function takeTargetTag(
  { vm, tag, opening }: { readonly vm: Instance; readonly tag: string; readonly opening: string },
  compute: Compute,
  terms: LeaseTerms,
  log: Log,
): Promise<{ readonly lease: TargetTagLease; readonly noted: Noted<TargetTagLease> }> {
  log.info(`firewall: the tag ${tag} is lent to the instance until the check has ended`);
  const lease: TargetTagLease = {
    kind: 'target-tag',
    project: vm.project,
    zone: vm.zone,
    instance: vm.name,
    credentials: terms.credentials,
    networkProject: vm.network.project,
    tag,
    opening,
    expires: expiryOf(terms).toISOString(),
  };
  const noted = terms.journal.note(lease);
  await compute.editTags((tags) => lendTag(tags, tag));
  return { lease, noted };
}

/**
 * Takes a lent tag away, unless somebody has it for good by now or an opening of another run needs it: the last one takes
 * it away, so the opening of this run has to be closed before.
 */
export async function releaseTargetTag(
  { networkProject, tag }: TagOfInstance,
  compute: Compute,
  log: Log,
): Promise<void> {
  const [rules, vm] = await Promise.all([compute.listFirewallRules(networkProject), compute.getInstance()]);
  const holder = liveOpenings(rules, vm, new Date()).find(({ targetTags }) => targetTags.includes(tag));
  if (holder !== undefined) {
    log.info(`firewall: the tag ${tag} stays for now: ${holder.name}, the opening of another run, needs it`);
    return;
  }
  let isGone = false;
  await compute.editTags((tags) => {
    const without = takeLentTagAway(tags, tag);
    isGone = without !== tags;
    return without;
  });
  log.info(
    isGone
      ? `firewall: the tag ${tag}, which was lent to the instance, is gone again`
      : `firewall: the tag ${tag} is no longer lent to the instance`,
  );
}

/** A tag, and the project that the rules are in which need it. */
export type TagOfInstance = Pick<TargetTagLease, 'networkProject' | 'tag'>;

export function isTargetTagLease(value: unknown): value is TargetTagLease {
  return hasFields(value, {
    ...GOOGLE_PLACE,
    kind: text(/^target-tag$/),
    networkProject: isProject,
    tag: text(RESOURCE_NAME),
    opening: isOpeningName,
    expires: isTime,
  });
}

/** The tag, and the opening that holds it, where they could not be taken away, and how to do it by hand. */
export function describeTargetTag(lease: TargetTagLease): string {
  const { tag, opening, networkProject, instance, project, zone } = lease;
  return (
    `the firewall rule ${opening}: \`gcloud compute firewall-rules delete ${opening} --project ${networkProject}\`; ` +
    `the network tag ${tag} of ${instance}: ` +
    `\`gcloud compute instances remove-tags ${instance} --tags ${tag},${lentMarkOf(tag)} --project ${project} --zone ${zone}\``
  );
}
