import { fingerprint } from '../compute/fingerprint.ts';
import type { Instance, Project } from '../compute/world.ts';

/** A directory of the metadata server, or a value. Names are those of the paths, `network-interfaces`. */
export type Node =
  | string
  | number
  | bigint
  | boolean
  | Leaf
  | readonly Node[]
  | { readonly [name: string]: Node };

/** Lists that are one value, as `tags`. */
export class Leaf {
  readonly value: readonly string[];
  constructor(value: readonly string[]) {
    this.value = value;
  }
}

/**
 * All that the metadata server tells an instance, below `/computeMetadata/v1/`.
 * https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
 */
export function metadataTree(instance: Instance, project: Project): { readonly [name: string]: Node } {
  const { number } = project;
  return {
    instance: {
      attributes: Object.fromEntries(
        (instance.shown ?? instance.metadata).map(({ key, value }) => [key, value]),
      ),
      'cpu-platform': 'Intel Broadwell',
      description: '',
      disks: [
        { 'device-name': instance.name, index: 0, interface: 'SCSI', mode: 'READ_WRITE', type: 'PERSISTENT' },
      ],
      'guest-attributes': guestAttributes(instance),
      hostname: `${instance.name}.${instance.zone}.c.${instance.project}.internal`,
      id: BigInt(instance.id),
      image: `projects/debian-cloud/global/images/${instance.kind}`,
      licenses: [{ id: '5543610867827062957' }],
      'machine-type': `projects/${number}/machineTypes/e2-small`,
      'maintenance-event': 'NONE',
      name: instance.name,
      'network-interfaces': [networkInterface(instance, number)],
      preempted: 'FALSE',
      'remaining-cpu-time': -1,
      scheduling: { 'automatic-restart': 'TRUE', 'on-host-maintenance': 'MIGRATE', preemptible: 'FALSE' },
      'service-accounts': serviceAccounts(instance),
      tags: new Leaf(instance.tags),
      'virtual-clock': { 'drift-token': '0' },
      zone: `projects/${number}/zones/${instance.zone}`,
    },
    oslogin: { authenticate: { sessions: {} } },
    project: {
      attributes: Object.fromEntries(project.metadata.map(({ key, value }) => [key, value])),
      'numeric-project-id': Number(number),
      'project-id': project.id,
    },
  };
}

export function guestAttributesEnabled(instance: Instance): boolean {
  const value = instance.metadata.find(({ key }) => key === 'enable-guest-attributes')?.value;
  return value?.toUpperCase() === 'TRUE';
}

function guestAttributes(instance: Instance): { readonly [name: string]: Node } {
  const tree: Record<string, Record<string, string>> = {};
  if (!guestAttributesEnabled(instance)) return tree;
  for (const [path, value] of instance.guestAttributes) {
    const [namespace = '', key = ''] = path.split('/');
    tree[namespace] = { ...tree[namespace], [key]: value };
  }
  return tree;
}

/** The MAC address is one that GCE would give, and no interface of the container has: so the agent leaves those be. */
function networkInterface(instance: Instance, projectNumber: string): Node {
  const octets = instance.internalIp.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return {
    'access-configs': ['no-external-address', 'ipv6-only'].some((shape) => instance.shape.has(shape))
      ? []
      : [{ 'external-ip': instance.ip, type: 'ONE_TO_ONE_NAT' }],
    'dns-servers': new Leaf(['169.254.169.254']),
    'forwarded-ips': new Leaf([]),
    gateway: instance.internalIp.replace(/\d+$/, '1'),
    ip: instance.internalIp,
    'ip-aliases': new Leaf([]),
    mac: `42:01:${octets.join(':')}`,
    mtu: 1460,
    network: `projects/${projectNumber}/networks/${instance.network.name}`,
    subnetmask: '255.255.240.0',
    'target-instance-ips': new Leaf([]),
  };
}

function serviceAccounts(instance: Instance): { readonly [name: string]: Node } {
  const account = {
    aliases: new Leaf(['default']),
    email: instance.serviceAccount,
    scopes: new Leaf(['https://www.googleapis.com/auth/devstorage.read_only']),
  };
  return { [instance.serviceAccount]: account, default: account };
}

/** Directories below which names stay as they are in JSON, since a user or an agent chose them. */
const VERBATIM = new Set(['attributes', 'guest-attributes']);

/** The JSON of `recursive=true`: names in camelCase, but for those that a user or an agent chose. */
export function toJson(node: Node, verbatim = false): unknown {
  if (typeof node === 'bigint') return rawNumber(node);
  if (node instanceof Leaf) return node.value;
  if (Array.isArray(node)) return node.map((item) => toJson(item, verbatim));
  if (typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([name, item]) => [
      verbatim || name.includes('@') ? name : camelCase(name),
      toJson(item, verbatim || VERBATIM.has(name)),
    ]),
  );
}

const camelCase = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A number too large for a double, written as it is. */
function rawNumber(value: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}

export function etagOf(text: string): string {
  return Buffer.from(fingerprint([text]), 'base64').toString('hex');
}
