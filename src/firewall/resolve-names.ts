import type { FirewallRule, Instance } from '../google/compute';
import { networkPath } from '../google/resources';
import {
  challengeRuleName,
  defaultRuleName,
  defaultTargetTag,
  ipv6RuleName,
  nameOfOne,
} from '../values/names';
import { identityOf, isOfNamesake, ownerOf } from './identity';

/** What the standing rule of an instance is called, and the network tag through which rules reach it. */
export interface FirewallNames {
  readonly rule: string;
  readonly targetTag: string;
}

/**
 * The names to use. Where a default name belongs to another instance of the same name (in another zone, network, or
 * project of a shared network), it is followed by a hash of this instance's identity. A name that was chosen once stays:
 * what the instance has already decides first. A name that is not the default one is taken as it is.
 *
 * @param given as the inputs say, which have the default names where nothing else is said
 */
export function resolveNames(
  given: FirewallNames,
  vm: Instance,
  rules: readonly FirewallRule[],
): FirewallNames {
  const unique = nameOfOne(vm.name, identityOf(vm));
  const rule =
    given.rule === defaultRuleName(vm.name) ? resolveRule(given.rule, unique, vm, rules) : given.rule;
  const isDefault = given.targetTag === defaultTargetTag(vm.name);
  return { rule, targetTag: isDefault ? resolveTag(given.targetTag, unique, vm, rules) : given.targetTag };
}

function resolveRule(plain: string, unique: string, vm: Instance, rules: readonly FirewallRule[]): string {
  const named = (name: string) => rules.filter((rule) => namesBeside(name).includes(rule.name));
  if (named(unique).some((rule) => isOwn(rule, vm))) return unique;
  // Rules of all networks of a project share their names.
  const isTaken = (rule: FirewallRule) =>
    ownerOf(rule, vm) === 'another' || rule.network !== networkPath(vm.network);
  return named(plain).some(isTaken) ? unique : plain;
}

/** Instances of other names that have the tag were given it on purpose. */
function resolveTag(plain: string, unique: string, vm: Instance, rules: readonly FirewallRule[]): string {
  const own = rules.filter((rule) => isOwn(rule, vm)).flatMap(({ targetTags }) => targetTags);
  if (own.includes(unique) || (vm.tags.items.includes(unique) && !own.includes(plain))) return unique;
  if (own.includes(plain)) return plain;
  const isTaken = (rule: FirewallRule) =>
    rule.network === networkPath(vm.network) && rule.targetTags.includes(plain) && isOfNamesake(rule, vm);
  return rules.some(isTaken) ? unique : plain;
}

/** Of all standing rules that have a name, or one made from it. */
function namesBeside(name: string): string[] {
  return [name, challengeRuleName(name)].flatMap((each) => [each, ipv6RuleName(each)]);
}

function isOwn(rule: FirewallRule, vm: Instance): boolean {
  return ownerOf(rule, vm) === 'this' && rule.network === networkPath(vm.network);
}
