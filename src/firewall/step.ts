import type { Change, Step } from '../converge/change';
import type { FirewallRule } from '../google/compute';

export type FirewallAction =
  | { readonly kind: 'insert'; readonly rule: FirewallRule }
  | { readonly kind: 'patch'; readonly name: string; readonly fields: Partial<FirewallRule> }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'untag'; readonly tag: string };

export interface FirewallStep extends Step {
  readonly action: FirewallAction;
}

/** A step of the firewall's plan; `from`, `to` and `why` as in Change. */
export function firewallStep(action: FirewallAction, change: Omit<Change, 'target'>): FirewallStep {
  return { change: { target: 'firewall', ...change }, action };
}

/** A change of one field of a rule. */
export function patchStep(
  { name }: FirewallRule,
  fields: Partial<FirewallRule>,
  { what, ...change }: Omit<Change, 'target'>,
): FirewallStep {
  return firewallStep({ kind: 'patch', name, fields }, { what: `${what} of rule ${name}`, ...change });
}
