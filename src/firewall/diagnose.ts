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
  const denies = relevant.filter((rule) => holdsPort(rule.denied, port));
  const allows = relevant.filter((rule) => holdsPort(rule.allowed, port) && isPublic(rule));
  const [deny] = denies;
  if (allows.length === 0) {
    return (
      `No firewall rule of network ${vm.network.name} admits anyone from outside to tcp:${port} of this instance: add one, for example ` +
      `\`gcloud compute firewall-rules create allow-ssh --project ${vm.network.project} --network ${vm.network.name} ` +
      `--allow tcp:${port} --source-ranges YOUR_RUNNERS\``
    );
  }
  if (deny !== undefined) {
    return `Rule ${deny.name} denies tcp:${port} from ${sourcesOf(deny)} (priority ${deny.priority}): admit this runner before it`;
  }
  const admitted = allows.map((rule) => `${rule.name} (${sourcesOf(rule)})`).join(', ');
  return `tcp:${port} is opened by ${admitted}: check that this runner is among them, and that the instance has booted and runs sshd`;
}

/** RFC 1918 and RFC 4193: nobody comes from there to an external address. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

function isPublic({ sourceRanges }: FirewallRule): boolean {
  return sourceRanges.some((range) => !covers(PRIVATE, range.split('/')[0] ?? ''));
}
