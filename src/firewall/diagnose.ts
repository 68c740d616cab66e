import type { FirewallRule, Instance } from '../google/compute';
import { covers } from '../values/ranges';
import { appliesTo, holdsPort, sourcesOf } from './rule-match';

/** What to do when the SSH port of an instance does not answer, from the rules of its network. */
export function diagnoseSsh(rules: readonly FirewallRule[], vm: Instance, port: number): string {
  if (vm.externalIp === null) {
    return (
      `The instance has no external address, so only a runner in its network ${vm.network.name} reaches it: give it an ` +
      `address, or use a self-hosted runner there, and a rule that admits it to tcp:${port}`
    );
  }
  const relevant = rules.filter((rule) => appliesTo(rule, vm, vm.tags.items));
  const allows = relevant.filter((rule) => holdsPort(rule.allowed, port) && isPublic(rule));
  if (allows.length === 0) return addRule(vm, port);
  const first = Math.min(...allows.map(({ priority }) => priority));
  const deny = relevant.find((rule) => holdsPort(rule.denied, port) && rule.priority <= first);
  if (deny !== undefined) return admitBefore(deny, port);
  const admitted = allows.map((rule) => `${rule.name} (${sourcesOf(rule)})`).join(', ');
  return `tcp:${port} is opened by ${admitted}: check that this runner is among them, and that the instance has booted and runs sshd`;
}

/**
 * GitHub's own runners have thousands of addresses, which change: nobody can name them in a rule.
 *
 * https://docs.github.com/actions/concepts/runners/github-hosted-runners (IP addresses; larger runners)
 */
function addRule({ network }: Instance, port: number): string {
  return (
    `No firewall rule of network ${network.name} admits anyone from outside to tcp:${port} of this instance: add one, for example ` +
    `\`gcloud compute firewall-rules create allow-ssh --project ${network.project} --network ${network.name} ` +
    `--allow tcp:${port} --source-ranges 0.0.0.0/0\`. GitHub's runners have thousands of addresses, which change, so for them it ` +
    'has to be everybody, and sshd must take keys only (`PasswordAuthentication no`, as in the images of Google). ' +
    'A self-hosted runner, or a larger runner of GitHub with a static address, can be named in place of 0.0.0.0/0'
  );
}

/**
 * Of two rules the one with the lower number counts, and of the same number the one that denies.
 *
 * https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules
 */
function admitBefore(deny: FirewallRule, port: number): string {
  const said = `Rule ${deny.name} denies tcp:${port} from ${sourcesOf(deny)} with priority ${deny.priority}`;
  return deny.priority === 0
    ? `${said}, and nothing comes before that: give that rule a greater number, or other sources or targets`
    : `${said}: add a rule that allows tcp:${port} from this runner with \`--priority ${deny.priority - 1}\` or less, or change that rule`;
}

/** RFC 1918 and RFC 4193: nobody comes from there to an external address. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

function isPublic({ sourceRanges }: FirewallRule): boolean {
  return sourceRanges.some((range) => !covers(PRIVATE, range.split('/')[0] ?? ''));
}
