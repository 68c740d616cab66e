import { createHash } from 'node:crypto';

/** Longest name of a Compute Engine resource or network tag (RFC 1035 label). */
const LONGEST = 63;

/**
 * Names of instances, rules, networks and network tags (RFC 1035).
 *
 * https://cloud.google.com/compute/docs/naming-resources#resource-name-format
 */
export const RESOURCE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Name of an instance's standing rule where the input gives none. `instance` is a resource name. */
export function defaultRuleName(instance: string): string {
  return joinNames(instance, '-registry');
}

/** Network tag of an instance where the input gives none. */
export function defaultTargetTag(instance: string): string {
  return joinNames(instance, '-registry');
}

/**
 * Name of the standing rule, and network tag, of one of several instances that have the same name and would have the
 * same defaults.
 *
 * @param identity tells this instance apart from the others
 */
export function nameOfOne(instance: string, identity: string): string {
  return joinNames(instance, `-registry-${hash(identity, 8)}`);
}

/** Name of an instance's snapshot schedule. */
export function scheduleName(instance: string): string {
  return joinNames(instance, '-registry-snapshots');
}

/** The same where the schedule of that name is of another instance, of another zone of the region. */
export function scheduleNameOfOne(instance: string, identity: string): string {
  return joinNames(instance, `-registry-snapshots-${hash(identity, 8)}`);
}

/** Name of a snapshot of an instance's images, by the second at which it is taken. */
export function snapshotName(instance: string, at: Date): string {
  const time = at.toISOString().replace(/[-:]/g, '').replace(/\..*/, '').replace('T', '-');
  return joinNames(instance, `-registry-${time}`);
}

/** Name of the disk that is made from a snapshot, the `attempt`-th time. */
export function restoredDiskName(instance: string, snapshotId: string, attempt: number): string {
  return joinNames(instance, `-registry-${hash(snapshotId, 8)}-${attempt}`);
}

/** The network tag that marks another one as lent to an instance for the time of a health check. */
export function lentMarkOf(tag: string): string {
  return joinNames(tag, '-lent');
}

/** Name of the rule beside `rule` that carries the IPv6 ranges: no rule takes both families. */
export function ipv6RuleName(rule: string): string {
  return joinNames(rule, '-ipv6');
}

/** Name of the rule beside `rule` that lets the challenges of a certificate authority in. */
export function challengeRuleName(rule: string): string {
  return joinNames(rule, '-acme');
}

/** The run that an opening is for. */
export interface RunIdentity {
  /** Id of the workflow run, unique in GitHub. */
  readonly runId: string;
  /** Number of the attempt, from 1. */
  readonly attempt: string;
  /** What else tells apart two runs of the action at the same time: the job, and a random part. */
  readonly unique: string;
}

/** Name of the opening of one run: `<instance>-registry-run-<hash>`. The same run has the same name. */
export function openingName(instance: string, { runId, attempt, unique }: RunIdentity): string {
  return joinNames(instance, `-registry-run-${hash([runId, attempt, unique].join('\n'), 12)}`);
}

/**
 * `head` + `tail`, where necessary with `head` cut and marked with a hash of the whole of it, so that two long
 * names which begin alike stay apart.
 */
function joinNames(head: string, tail: string): string {
  if (head.length + tail.length <= LONGEST) return head + tail;
  const mark = `-${hash(head, 8)}`;
  const room = LONGEST - tail.length - mark.length;
  return head.slice(0, room).replace(/-+$/, '') + mark + tail;
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
