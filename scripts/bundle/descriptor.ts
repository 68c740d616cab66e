/** A descriptor of protobuf.js, as far as pruning looks at it. */
interface Node {
  options?: unknown;
  nested?: Record<string, Node>;
  fields?: Record<string, { type: string }>;
  oneofs?: Record<string, { oneof: string[] }>;
  methods?: Record<string, { requestType: string; responseType: string }>;
}

/** The methods that src/google/clients.ts calls. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  Instances: ['Get', 'SetTags', 'SetMetadata', 'GetGuestAttributes', 'AttachDisk', 'DetachDisk'],
  Firewalls: ['Get', 'List', 'Insert', 'Patch', 'Delete'],
  Disks: [
    'Get',
    'List',
    'Insert',
    'SetLabels',
    'AddResourcePolicies',
    'RemoveResourcePolicies',
    'CreateSnapshot',
  ],
  Snapshots: ['Get', 'List', 'Delete'],
  ResourcePolicies: ['Get', 'Insert', 'Patch', 'Delete'],
  GlobalOperations: ['Wait'],
  ZoneOperations: ['Wait'],
  RegionOperations: ['Wait'],
};

/** The fields that src/google/resources.ts, storage-messages.ts and clients.ts use, of the messages that have many more. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Instance: ['id', 'name', 'status', 'tags', 'metadata', 'networkInterfaces', 'disks'],
  NetworkInterface: ['name', 'network', 'networkIP', 'accessConfigs', 'ipv6Address', 'ipv6AccessConfigs'],
  AccessConfig: ['natIP', 'externalIpv6'],
  AttachedDisk: ['boot', 'source', 'deviceName', 'type', 'autoDelete', 'licenses', 'guestOsFeatures'],
  DiskList: ['items', 'nextPageToken'],
  Disk: [
    'name',
    'description',
    'sizeGb',
    'type',
    'status',
    'labels',
    'labelFingerprint',
    'licenses',
    'resourcePolicies',
    'sourceSnapshot',
    'users',
  ],
  SnapshotList: ['items', 'nextPageToken'],
  Snapshot: [
    'name',
    'id',
    'description',
    'status',
    'diskSizeGb',
    'storageBytes',
    'sourceDisk',
    'labels',
    'licenses',
    'creationTimestamp',
  ],
  ResourcePolicy: ['name', 'description', 'snapshotSchedulePolicy'],
  ResourcePolicySnapshotSchedulePolicySnapshotProperties: ['labels'],
  GuestOsFeature: ['type'],
  Operation: ['id', 'name', 'status', 'error', 'httpErrorStatusCode', 'httpErrorMessage'],
  Errors: ['code', 'message'],
  FirewallList: ['items', 'nextPageToken'],
  Firewall: [
    'name',
    'network',
    'description',
    'direction',
    'priority',
    'disabled',
    'sourceRanges',
    'sourceTags',
    'sourceServiceAccounts',
    'targetTags',
    'targetServiceAccounts',
    'allowed',
    'denied',
  ],
};

const PACKAGE = ['google', 'cloud', 'compute', 'v1'];

/**
 * The part of Compute's descriptor that the action needs: 8 services and some 50 messages of 2,216.
 *
 * @throws Error when a method or field is not in the descriptor
 */
export function pruneDescriptor(root: Node): Node {
  const all = PACKAGE.reduce((node, name) => must(node.nested?.[name], name), root).nested ?? {};
  const kept: Record<string, Node> = {};
  for (const [name, methods] of Object.entries(METHODS)) keepService(name, methods, all, kept);
  const sorted = Object.fromEntries(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
  return PACKAGE.reduceRight<Node>((inner, name) => ({ nested: { [name]: inner } }), { nested: sorted });
}

function keepService(
  name: string,
  methods: readonly string[],
  all: Record<string, Node>,
  kept: Record<string, Node>,
): void {
  const service = must(all[name], name);
  const entries = methods.map((method) => [method, must(service.methods?.[method], method)] as const);
  kept[name] = { options: service.options, methods: Object.fromEntries(entries) };
  for (const [, { requestType, responseType }] of entries) {
    keepMessage(requestType, all, kept);
    keepMessage(responseType, all, kept);
  }
}

/** Keeps a message, and what its fields are made of. A nested or built-in type is not found here, and needs no copy. */
function keepMessage(name: string, all: Record<string, Node>, kept: Record<string, Node>): void {
  const message = all[name];
  if (message === undefined || kept[name] !== undefined) return;
  const names = FIELDS[name] ?? Object.keys(message.fields ?? {});
  const fields = Object.fromEntries(
    names.map((field) => [field, must(message.fields?.[field], `${name}.${field}`)]),
  );
  const oneofs = Object.entries(message.oneofs ?? {}).filter(([, { oneof }]) =>
    oneof.every((f) => f in fields),
  );
  const types = new Set(Object.values(fields).map(({ type }) => type));
  const nested = Object.entries(message.nested ?? {}).filter(([type]) => types.has(type));
  kept[name] = {
    fields,
    ...(oneofs.length > 0 ? { oneofs: Object.fromEntries(oneofs) } : {}),
    ...(nested.length > 0 ? { nested: Object.fromEntries(nested) } : {}),
  };
  for (const type of types) if (!(type in (message.nested ?? {}))) keepMessage(type, all, kept);
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The Compute descriptor has no ${what}`);
  return value;
}
