import { invalid, invalidField, required } from './errors.ts';
import type { JsonObject } from './merge-patch.ts';
import { parseNetwork } from './urls.ts';
import { checkCidr, checkName, checkPorts, checkProtocol, isV6 } from './values.ts';
import { type Firewall, newId, type ProtocolPorts, timestamp } from './world.ts';

/** Limits of one rule: https://cloud.google.com/firewall/quotas#limits */
const MAX_RANGES = 256;
const MAX_TAGS: Readonly<Record<string, number>> = { sourceTags: 30, targetTags: 70 };
const MAX_SERVICE_ACCOUNTS = 10;
const MAX_DESCRIPTION = 2048;
const HAS_PORTS = ['tcp', 'udp', 'sctp'];

/**
 * Makes a rule of a message that a client sent, with Google's defaults. Throws the API's 400 for what Google
 * refuses.
 *
 * A rule for incoming traffic with neither sourceRanges nor sourceTags admits everybody
 * (terraform-provider-google issue 6789).
 */
export function checkFirewall(resource: JsonObject, project: string): Firewall {
  const name = text(resource, 'name');
  if (name === undefined) throw required('resource.name');
  checkName('resource.name', name);
  const direction = checkDirection(text(resource, 'direction') ?? 'INGRESS');
  const rule = {
    id: newId(),
    creationTimestamp: timestamp(),
    name,
    description: checkDescription(text(resource, 'description') ?? ''),
    network: parseNetwork(text(resource, 'network') || 'global/networks/default', project),
    priority: checkPriority(resource.priority ?? 1000),
    direction,
    disabled: resource.disabled === true,
    logConfig: checkLogConfig(resource.logConfig),
    sourceRanges: checkRanges(resource, 'sourceRanges'),
    destinationRanges: checkRanges(resource, 'destinationRanges'),
    sourceTags: checkTags(resource, 'sourceTags'),
    targetTags: checkTags(resource, 'targetTags'),
    sourceServiceAccounts: checkAccounts(resource, 'sourceServiceAccounts'),
    targetServiceAccounts: checkAccounts(resource, 'targetServiceAccounts'),
    allowed: checkProtocols(resource, 'allowed'),
    denied: checkProtocols(resource, 'denied'),
  };
  if (rule.network.project !== project) {
    throw invalidField(
      'resource.network',
      String(resource.network),
      'Cross project referencing is not allowed for this resource.',
    );
  }
  checkTogether(rule);
  return withDefaultRange(rule);
}

function withDefaultRange(rule: Firewall): Firewall {
  const everybody = ['0.0.0.0/0'];
  if (rule.direction === 'EGRESS') {
    return rule.destinationRanges.length > 0 ? rule : { ...rule, destinationRanges: everybody };
  }
  const sources = [rule.sourceRanges, rule.sourceTags, rule.sourceServiceAccounts];
  return sources.some((list) => list.length > 0) ? rule : { ...rule, sourceRanges: everybody };
}

/** https://cloud.google.com/firewall/docs/firewalls#sources_or_destinations_for_the_rule */
function checkTogether(rule: Firewall): void {
  if (rule.allowed.length > 0 === rule.denied.length > 0) {
    throw invalid("Exactly one of 'resource.allowed' and 'resource.denied' must be specified.");
  }
  const egress = rule.direction === 'EGRESS';
  if (
    egress &&
    [rule.sourceRanges, rule.sourceTags, rule.sourceServiceAccounts].some((list) => list.length > 0)
  ) {
    throw invalid('Source filters may only be specified for firewalls whose direction is INGRESS.');
  }
  if (!egress && rule.destinationRanges.length > 0 && rule.sourceRanges.length === 0) {
    throw invalid('Destination ranges of an INGRESS firewall need source ranges.');
  }
  const tags = rule.sourceTags.length + rule.targetTags.length;
  const accounts = rule.sourceServiceAccounts.length + rule.targetServiceAccounts.length;
  if (tags > 0 && accounts > 0) throw invalid('Firewall cannot specify both tags and service accounts.');
}

function checkRanges(resource: JsonObject, key: string): string[] {
  const list = strings(resource, key);
  if (list.length > MAX_RANGES) {
    throw invalid(
      `Invalid value for field 'resource.${key}': Too many values: ${list.length}. Maximum is ${MAX_RANGES}.`,
    );
  }
  const ranges = list.map((value, index) => checkCidr(`resource.${key}[${index}]`, value));
  // "ensuring that IPv4 and IPv6 firewall rules are split because on GCP they cannot be in the same rule":
  // kubernetes/kops pull request 12170.
  if (ranges.some(isV6) && !ranges.every(isV6)) {
    throw invalid(
      `Invalid value for field 'resource.${key}': IPv4 and IPv6 ranges cannot be mixed in one firewall.`,
    );
  }
  return unique(`resource.${key}`, ranges);
}

function checkTags(resource: JsonObject, key: 'sourceTags' | 'targetTags'): string[] {
  const list = strings(resource, key);
  if (list.length > (MAX_TAGS[key] ?? 0)) {
    throw invalid(
      `Invalid value for field 'resource.${key}': Too many values: ${list.length}. Maximum is ${MAX_TAGS[key]}.`,
    );
  }
  for (const [index, tag] of list.entries()) checkName(`resource.${key}[${index}]`, tag);
  return unique(`resource.${key}`, list);
}

function checkAccounts(resource: JsonObject, key: string): string[] {
  const list = strings(resource, key);
  if (list.length > MAX_SERVICE_ACCOUNTS) {
    throw invalid(
      `Invalid value for field 'resource.${key}': Too many values: ${list.length}. Maximum is ${MAX_SERVICE_ACCOUNTS}.`,
    );
  }
  for (const [index, account] of list.entries()) {
    if (!/^[^@\s]+@[^@\s]+$/.test(account))
      throw invalidField(`resource.${key}[${index}]`, account, 'Must be an email address.');
  }
  return list;
}

function checkProtocols(resource: JsonObject, key: 'allowed' | 'denied'): ProtocolPorts[] {
  const list = (resource[key] ?? []) as readonly JsonObject[];
  return list.map((entry, index) => {
    const field = `resource.${key}[${index}]`;
    const given = text(entry, 'IPProtocol');
    if (given === undefined) throw required(`${field}.IPProtocol`);
    const IPProtocol = checkProtocol(`${field}.IPProtocol`, given);
    const ports = strings(entry, 'ports');
    for (const [at, port] of ports.entries()) checkPorts(`${field}.ports[${at}]`, port);
    if (ports.length > 0 && !HAS_PORTS.includes(IPProtocol)) {
      throw invalidField(
        `${field}.ports[0]`,
        ports[0] ?? '',
        'Ports may only be specified for TCP, UDP and SCTP.',
      );
    }
    return ports.length > 0 ? { IPProtocol, ports } : { IPProtocol };
  });
}

function checkDirection(value: string): 'INGRESS' | 'EGRESS' {
  if (value !== 'INGRESS' && value !== 'EGRESS') {
    throw invalidField('resource.direction', value, 'Must be one of [EGRESS, INGRESS]');
  }
  return value;
}

function checkPriority(value: unknown): number {
  const priority = Number(value);
  if (!(priority >= 0 && priority <= 65535)) {
    throw invalidField('resource.priority', String(value), 'Must be between 0 and 65535, inclusive.');
  }
  return priority;
}

function checkDescription(value: string): string {
  if (value.length > MAX_DESCRIPTION) {
    throw invalidField('resource.description', value, `Must be a match of regex '.{0,${MAX_DESCRIPTION}}'`);
  }
  return value;
}

function checkLogConfig(value: unknown): Firewall['logConfig'] {
  const config = (value ?? {}) as { enable?: boolean; metadata?: string };
  return config.enable === true
    ? { enable: true, metadata: config.metadata ?? 'INCLUDE_ALL_METADATA' }
    : { enable: false };
}

const text = (resource: JsonObject, key: string): string | undefined =>
  (resource[key] as string | null | undefined) ?? undefined;
const strings = (resource: JsonObject, key: string): string[] => [
  ...((resource[key] ?? []) as readonly string[]),
];

function unique(field: string, list: string[]): string[] {
  const duplicate = list.find((item, index) => list.indexOf(item) !== index);
  if (duplicate !== undefined) throw invalidField(field, duplicate, 'Duplicate values are not allowed.');
  return list;
}
