import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';

const MARK = 'Managed by gce-registry-action.';
/** Older rules end with the mark: they name the instance alone, as several zones, networks and projects can have it. */
const STANDING =
  /^(?:Docker registry and its web UI on|Challenges of a certificate authority for) instance (\S+)\. Managed by gce-registry-action\.(?: instance=(\S+)|$)/;
/** In standing rules and in openings of runs. */
const INSTANCE = /(?:Managed by|Opening of one run of) gce-registry-action\. instance=(\S+)/;

/**
 * Names an instance among all that can share its network: in a shared network instances of several projects, and of
 * several zones, can have the same name. The numeric id is left out on purpose, so that an instance that is made anew
 * keeps its rule.
 */
export function identityOf({ project, zone, name }: Pick<Instance, 'project' | 'zone' | 'name'>): string {
  return `${project}/${zone}/${name}`;
}

/** What a standing rule is for. */
export type Purpose = 'access' | 'challenges';

const SUBJECTS: Readonly<Record<Purpose, string>> = {
  access: 'Docker registry and its web UI on',
  challenges: 'Challenges of a certificate authority for',
};

/** Description of a standing rule of an instance, for people and for later runs. */
export function standingDescription(vm: Instance, purpose: Purpose): string {
  return `${SUBJECTS[purpose]} instance ${vm.name}. ${MARK} instance=${identityOf(vm)}`;
}

/** Whether the description of a rule names this instance in full, and not only by its name. */
export function isNamedInFull({ description }: FirewallRule, vm: Instance): boolean {
  return STANDING.exec(description)?.[2] === identityOf(vm);
}

/** Whose a rule is: of this instance, of another one that the action looks after, or of somebody else. */
export type Owner = 'this' | 'another' | 'somebody';

/**
 * A rule of old, which names no zone and no project, is this instance's where nothing speaks for another one: it has the
 * instance's name, is in its network, and its one target is a tag that the instance carries already.
 */
export function ownerOf(rule: FirewallRule, vm: Instance): Owner {
  const [found, name, identity] = STANDING.exec(rule.description) ?? [];
  if (found === undefined) return 'somebody';
  if (identity !== undefined) return identity === identityOf(vm) ? 'this' : 'another';
  const [tag, ...others] = rule.targetTags;
  const isAdoptable =
    name === vm.name &&
    rule.network === networkPath(vm.network) &&
    tag !== undefined &&
    others.length === 0 &&
    vm.tags.items.includes(tag);
  return isAdoptable ? 'this' : 'another';
}

/** The instance that a rule of the action is for, standing rule or opening, in words; null for rules of others. */
export function instanceOf({ description }: FirewallRule): string | null {
  const [, identity] = INSTANCE.exec(description) ?? [];
  if (identity !== undefined) return identity;
  const [, name] = STANDING.exec(description) ?? [];
  return name === undefined ? null : `another instance ${name}`;
}

/** Whether a rule of the action, standing rule or opening, is for another instance of the same name. */
export function isOfNamesake(rule: FirewallRule, vm: Instance): boolean {
  const [, identity] = INSTANCE.exec(rule.description) ?? [];
  if (identity !== undefined) return identity !== identityOf(vm) && identity.endsWith(`/${vm.name}`);
  return ownerOf(rule, vm) === 'another' && STANDING.exec(rule.description)?.[1] === vm.name;
}
