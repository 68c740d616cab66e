import type { FirewallRule, Instance, ProtocolPorts } from './compute';

/** The fields of Compute's messages that the action uses, as the official client reads and writes them. */
export interface InstanceMessage {
  readonly id?: string | null;
  readonly name?: string | null;
  readonly status?: string | null;
  readonly tags?: TagsMessage | null;
  readonly metadata?: MetadataMessage | null;
  readonly disks?: readonly {
    readonly boot?: boolean | null;
    readonly source?: string | null;
    readonly deviceName?: string | null;
    readonly type?: string | null;
    readonly autoDelete?: boolean | null;
    readonly licenses?: readonly string[];
    readonly guestOsFeatures?: readonly { readonly type?: string | null }[];
  }[];
  readonly networkInterfaces?: readonly {
    readonly name?: string | null;
    readonly network?: string | null;
    readonly networkIP?: string | null;
    readonly accessConfigs?: readonly { readonly natIP?: string | null }[];
    readonly ipv6Address?: string | null;
    readonly ipv6AccessConfigs?: readonly { readonly externalIpv6?: string | null }[];
  }[];
}

export interface TagsMessage {
  readonly items?: readonly string[];
  readonly fingerprint?: string | null;
}

export interface MetadataMessage {
  readonly items?: readonly { readonly key?: string | null; readonly value?: string | null }[];
  readonly fingerprint?: string | null;
}

export interface FirewallMessage {
  readonly name?: string | null;
  readonly network?: string | null;
  readonly description?: string | null;
  readonly direction?: string | null;
  readonly priority?: number | null;
  readonly disabled?: boolean | null;
  readonly sourceRanges?: readonly string[];
  readonly sourceTags?: readonly string[];
  readonly sourceServiceAccounts?: readonly string[];
  readonly targetTags?: readonly string[];
  readonly targetServiceAccounts?: readonly string[];
  readonly allowed?: readonly PortsMessage[];
  readonly denied?: readonly PortsMessage[];
}

interface PortsMessage {
  readonly IPProtocol?: string | null;
  readonly ports?: readonly string[];
}

/** Project and name of a network from its address or relative name; null when it is neither. */
export function parseNetwork(address: string): { project: string; name: string } | null {
  // A project can belong to a domain: `example.com:project`.
  const match = /(?:^|\/)projects\/([a-z0-9.:-]+)\/global\/networks\/([a-z0-9-]+)$/.exec(address);
  const [, project, name] = match ?? [];
  return project && name ? { project, name } : null;
}

/** Relative name of a network, as Compute takes it in a rule. */
export function networkPath(network: { project: string; name: string }): string {
  return `projects/${network.project}/global/networks/${network.name}`;
}

/** Name of a resource from its address. */
export function lastPart(address: string | null | undefined): string {
  return (address ?? '').split('/').at(-1) ?? '';
}

/** Null when the message lacks what every instance has. */
export function readInstance(
  message: InstanceMessage,
  { project, zone }: { project: string; zone: string },
): Instance | null {
  const nics = message.networkInterfaces ?? [];
  const nic = nics.find(({ name }) => name === 'nic0') ?? nics[0];
  const network = parseNetwork(nic?.network ?? '');
  if (!message.name || !message.status || !network) return null;
  return {
    project,
    zone,
    name: message.name,
    id: String(message.id ?? ''),
    status: message.status,
    windows: isWindows(message),
    network,
    internalIp: nic?.networkIP || null,
    externalIp: nic?.accessConfigs?.[0]?.natIP || null,
    internalIpv6: nic?.ipv6Address || null,
    externalIpv6: nic?.ipv6AccessConfigs?.[0]?.externalIpv6 || null,
    disks: (message.disks ?? []).map((disk) => ({
      name: lastPart(disk.source),
      device: disk.deviceName ?? '',
      regional: /\/regions\//.test(disk.source ?? ''),
      boot: disk.boot ?? false,
      scratch: disk.type === 'SCRATCH',
      autoDelete: disk.autoDelete ?? false,
    })),
    tags: { items: message.tags?.items ?? [], fingerprint: message.tags?.fingerprint ?? '' },
    metadata: {
      items: (message.metadata?.items ?? []).map(({ key, value }) => ({
        key: key ?? '',
        value: value ?? '',
      })),
      fingerprint: message.metadata?.fingerprint ?? '',
    },
  };
}

/**
 * The images of Windows carry this feature and a license of one of Google's projects for it.
 *
 * https://cloud.google.com/compute/docs/images/create-custom#guest-os-features
 */
function isWindows({ disks }: InstanceMessage): boolean {
  const boot = disks?.find((disk) => disk.boot);
  const features = boot?.guestOsFeatures ?? [];
  return (
    features.some(({ type }) => type === 'WINDOWS') ||
    (boot?.licenses ?? []).some((license) => license.includes('/projects/windows-cloud/global/licenses/'))
  );
}

/** `network` of the result is a relative name: `projects/P/global/networks/N`. */
export function readRule(message: FirewallMessage): FirewallRule {
  const network = parseNetwork(message.network ?? '');
  return {
    name: message.name ?? '',
    network: network ? networkPath(network) : (message.network ?? ''),
    description: message.description ?? '',
    direction: message.direction === 'EGRESS' ? 'EGRESS' : 'INGRESS',
    priority: message.priority ?? 1000,
    disabled: message.disabled ?? false,
    sourceRanges: message.sourceRanges ?? [],
    sourceTags: message.sourceTags ?? [],
    sourceServiceAccounts: message.sourceServiceAccounts ?? [],
    targetTags: message.targetTags ?? [],
    targetServiceAccounts: message.targetServiceAccounts ?? [],
    allowed: (message.allowed ?? []).map(readPorts),
    denied: (message.denied ?? []).map(readPorts),
  };
}

/** Only the fields that are given; the client leaves empty lists out. */
export function writeRule(fields: Partial<FirewallRule>): FirewallMessage {
  const { allowed, denied, ...rest } = fields;
  return {
    ...rest,
    ...(allowed ? { allowed: allowed.map(writePorts) } : {}),
    ...(denied ? { denied: denied.map(writePorts) } : {}),
  };
}

function readPorts({ IPProtocol, ports }: PortsMessage): ProtocolPorts {
  return { protocol: IPProtocol ?? '', ports: ports ?? [] };
}

function writePorts({ protocol, ports }: ProtocolPorts): PortsMessage {
  return { IPProtocol: protocol, ports };
}
