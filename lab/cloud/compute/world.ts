import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Attachment, Disk, ResourcePolicy, Snapshot } from './storage.ts';

export interface ProtocolPorts {
  readonly IPProtocol: string;
  readonly ports?: readonly string[];
}

/** A firewall rule as it is kept: checked, with all defaults filled in. */
export interface Firewall {
  readonly id: string;
  readonly creationTimestamp: string;
  readonly name: string;
  readonly description: string;
  /** Project and name. */
  readonly network: NetworkRef;
  readonly priority: number;
  readonly direction: 'INGRESS' | 'EGRESS';
  readonly disabled: boolean;
  readonly logConfig: { readonly enable: boolean; readonly metadata?: string };
  readonly sourceRanges: readonly string[];
  readonly destinationRanges: readonly string[];
  readonly sourceTags: readonly string[];
  readonly targetTags: readonly string[];
  readonly sourceServiceAccounts: readonly string[];
  readonly targetServiceAccounts: readonly string[];
  readonly allowed: readonly ProtocolPorts[];
  readonly denied: readonly ProtocolPorts[];
}

export interface NetworkRef {
  readonly project: string;
  readonly name: string;
}

export interface Network extends NetworkRef {
  readonly id: string;
  readonly creationTimestamp: string;
}

export interface MetadataItem {
  readonly key: string;
  readonly value: string;
}

/** A VM. `changed` is emitted whenever the metadata server has something new to say. */
export interface Instance {
  readonly id: string;
  readonly creationTimestamp: string;
  readonly project: string;
  readonly zone: string;
  readonly name: string;
  /** External address; also that of its container. */
  readonly ip: string;
  readonly internalIp: string;
  /** Name of the container that plays it; null without one. */
  readonly container: string | null;
  readonly kind: string;
  network: NetworkRef;
  readonly serviceAccount: string;
  status: string;
  tags: readonly string[];
  metadata: readonly MetadataItem[];
  /** What the metadata server shows in place of `metadata` while it lags behind; null: it does not. */
  shown: readonly MetadataItem[] | null;
  /** `namespace/key` → value. */
  readonly guestAttributes: Map<string, string>;
  /** Guest attributes that a fault holds back; null: none does. */
  withheld: ReadonlyMap<string, string> | null;
  /** `ipv6-only`, `no-external-address`, `two-nics`, `windows`. */
  readonly shape: Set<string>;
  /** The boot disk first. */
  disks: readonly Attachment[];
  readonly changed: EventEmitter;
}

export interface Project {
  readonly id: string;
  readonly number: string;
  readonly networks: Map<string, Network>;
  readonly firewalls: Map<string, Firewall>;
  /** Names that an operation is working on: of these nothing else may be changed. */
  readonly busyFirewalls: Set<string>;
  readonly disks: Map<string, Disk>;
  readonly snapshots: Map<string, Snapshot>;
  /** Resource policies. */
  readonly policies: Map<string, ResourcePolicy>;
  metadata: readonly MetadataItem[];
}

/** What a registration over the control socket says of an instance. */
export interface Registration {
  readonly name: string;
  readonly zone: string;
  readonly ip: string;
  readonly internalIp: string;
  readonly container?: string;
  readonly kind?: string;
  readonly network?: NetworkRef;
  readonly status?: string;
}

/** Everything that exists in the lab's Google Cloud. */
export class World {
  readonly projects = new Map<string, Project>();
  readonly zones: readonly string[];
  /** By name. */
  readonly instances = new Map<string, Instance>();
  readonly homeProject: string;

  constructor(project: string, number: string, zone: string) {
    this.homeProject = project;
    this.zones = [zone];
    this.addProject(project, number);
  }

  /** A project with the network `default` and Google's four rules in it. */
  addProject(id: string, number: string = numberOf(id)): Project {
    const project: Project = {
      id,
      number,
      networks: new Map(),
      firewalls: new Map(),
      busyFirewalls: new Set(),
      disks: new Map(),
      snapshots: new Map(),
      policies: new Map(),
      metadata: [],
    };
    this.projects.set(id, project);
    this.addNetwork({ project: id, name: 'default' });
    for (const rule of defaultRules(id)) project.firewalls.set(rule.name, rule);
    return project;
  }

  addNetwork(ref: NetworkRef): Network {
    const project = this.projects.get(ref.project) ?? this.addProject(ref.project);
    const network = { ...ref, id: newId(), creationTimestamp: timestamp() };
    project.networks.set(ref.name, network);
    return network;
  }

  /** Registers an instance. One of the same name is replaced; guest attributes that it published stay. */
  addInstance(registration: Registration): Instance {
    const network = registration.network ?? { project: this.homeProject, name: 'default' };
    this.ensureNetwork(network);
    const before = this.instances.get(registration.name);
    const home = this.projects.get(this.homeProject);
    const instance: Instance = {
      id: numberOf(`${this.homeProject}/${registration.zone}/${registration.name}`, 19),
      creationTimestamp: timestamp(),
      project: this.homeProject,
      zone: registration.zone,
      name: registration.name,
      ip: registration.ip,
      internalIp: registration.internalIp,
      container: registration.container ?? null,
      kind: registration.kind ?? 'debian-13',
      network,
      serviceAccount: `${home?.number}-compute@developer.gserviceaccount.com`,
      status: registration.status ?? 'RUNNING',
      tags: [],
      metadata: FRESH_METADATA,
      shown: null,
      guestAttributes: new Map([...(before?.guestAttributes ?? []), ...(before?.withheld ?? [])]),
      withheld: null,
      shape: new Set(),
      disks: [
        {
          disk: registration.name,
          deviceName: registration.name,
          boot: true,
          autoDelete: true,
          mode: 'READ_WRITE',
        },
      ],
      changed: before?.changed ?? new EventEmitter().setMaxListeners(0),
    };
    this.instances.set(instance.name, instance);
    home?.disks.set(instance.name, bootDisk(instance));
    return instance;
  }

  /** The project in which an instance is. */
  projectOf(instance: Instance): Project {
    const project = this.projects.get(instance.project);
    if (project === undefined) throw new Error(`no project ${instance.project}`);
    return project;
  }

  /** The project as new; instances stay, running, on the network `default`, with fresh tags and metadata. */
  reset(): void {
    const number = this.projects.get(this.homeProject)?.number;
    this.projects.clear();
    this.addProject(this.homeProject, number);
    for (const { name, zone, ip, internalIp, container, kind, changed } of [...this.instances.values()]) {
      this.addInstance({ name, zone, ip, internalIp, kind, ...(container !== null && { container }) });
      changed.emit('changed');
    }
  }

  /** Makes the network, and its project, unless they are there. */
  ensureNetwork(network: NetworkRef): void {
    if (!this.projects.get(network.project)?.networks.has(network.name)) this.addNetwork(network);
  }
}

/** https://cloud.google.com/compute/docs/images/create-custom#guest-os-features */
function bootDisk({ project, zone, name, kind }: Instance): Disk {
  return {
    id: newId(),
    creationTimestamp: timestamp(),
    project,
    zone,
    name,
    description: '',
    sizeGb: 10,
    type: 'pd-balanced',
    status: 'READY',
    labels: {},
    sourceSnapshot: null,
    system: {
      licenses: [`https://www.googleapis.com/compute/v1/projects/debian-cloud/global/licenses/${kind}`],
      guestOsFeatures: ['UEFI_COMPATIBLE', 'GVNIC'],
      architecture: process.arch === 'arm64' ? 'ARM64' : 'X86_64',
    },
    policies: [],
    user: name,
  };
}

const FRESH_METADATA: readonly MetadataItem[] = [{ key: 'enable-guest-attributes', value: 'TRUE' }];

let lastId = BigInt(Date.now()) * 1_000_000n;

/** A resource id: a decimal number of 19 digits that does not fit a double, as Google's. */
export function newId(): string {
  lastId += 1n + BigInt(Math.floor(Math.random() * 1000));
  return String(lastId);
}

/** Now, as in `creationTimestamp`. */
export function timestamp(time: number = Date.now()): string {
  return new Date(time).toISOString().replace('Z', '+00:00');
}

/** A number made from a name, always the same. */
function numberOf(name: string, digits = 12): string {
  const hash = BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 15)}`);
  return `1${String(hash)
    .padStart(digits, '7')
    .slice(0, digits - 1)}`;
}

/** The rules of a new project: https://cloud.google.com/firewall/docs/firewalls#more_rules_default_vpc */
function defaultRules(project: string): Firewall[] {
  const rule = (name: string, description: string, ranges: string[], allowed: ProtocolPorts[]): Firewall => ({
    id: newId(),
    creationTimestamp: timestamp(),
    name,
    description,
    network: { project, name: 'default' },
    priority: 65534,
    direction: 'INGRESS',
    disabled: false,
    logConfig: { enable: false },
    sourceRanges: ranges,
    destinationRanges: [],
    sourceTags: [],
    targetTags: [],
    sourceServiceAccounts: [],
    targetServiceAccounts: [],
    allowed,
    denied: [],
  });
  const all = ['0.0.0.0/0'];
  return [
    rule('default-allow-icmp', 'Allow ICMP from anywhere', all, [{ IPProtocol: 'icmp' }]),
    rule(
      'default-allow-internal',
      'Allow internal traffic on the default network',
      ['10.128.0.0/9'],
      [
        { IPProtocol: 'tcp', ports: ['0-65535'] },
        { IPProtocol: 'udp', ports: ['0-65535'] },
        { IPProtocol: 'icmp' },
      ],
    ),
    rule('default-allow-rdp', 'Allow RDP from anywhere', all, [{ IPProtocol: 'tcp', ports: ['3389'] }]),
    rule('default-allow-ssh', 'Allow SSH from anywhere', all, [{ IPProtocol: 'tcp', ports: ['22'] }]),
  ];
}
