import { fingerprint } from './fingerprint.ts';
import type { JsonObject } from './merge-patch.ts';
import { type Attachment, type Disk, regionOf } from './storage.ts';
import { globalUrl, projectUrl, zoneUrl } from './urls.ts';
import type { Instance, World } from './world.ts';

/** The instance as the API shows it. */
export function renderInstance(world: World, instance: Instance): JsonObject {
  const { project, zone, name } = instance;
  return {
    kind: 'compute#instance',
    id: instance.id,
    creationTimestamp: instance.creationTimestamp,
    name,
    tags: { ...listOf(instance.tags), fingerprint: fingerprint(instance.tags) },
    machineType: zoneUrl(project, zone, 'machineTypes', 'e2-small'),
    status: instance.status,
    zone: projectUrl(project, `zones/${zone}`),
    canIpForward: false,
    networkInterfaces: renderInterfaces(instance),
    disks: instance.disks.map((attachment, index) =>
      renderDisk(instance, attachment, index, world.projectOf(instance).disks.get(attachment.disk)),
    ),
    metadata: {
      kind: 'compute#metadata',
      fingerprint: fingerprint(instance.metadata),
      ...listOf(instance.metadata),
    },
    serviceAccounts: [
      { email: instance.serviceAccount, scopes: ['https://www.googleapis.com/auth/devstorage.read_only'] },
    ],
    selfLink: zoneUrl(project, zone, 'instances', name),
    scheduling: {
      onHostMaintenance: 'MIGRATE',
      automaticRestart: true,
      preemptible: false,
      provisioningModel: 'STANDARD',
    },
    cpuPlatform: 'Intel Broadwell',
    labelFingerprint: fingerprint([]),
    startRestricted: false,
    deletionProtection: false,
    shieldedInstanceConfig: { enableSecureBoot: false, enableVtpm: true, enableIntegrityMonitoring: true },
    shieldedInstanceIntegrityPolicy: { updateAutoLearnPolicy: true },
    fingerprint: fingerprint([instance.id, instance.tags, instance.metadata]),
    lastStartTimestamp: instance.creationTimestamp,
    satisfiesPzi: true,
  };
}

/** With two interfaces the one that is not the first stands first: nothing promises an order but their names. */
function renderInterfaces(instance: Instance): JsonObject[] {
  const nic0 = renderInterface(instance);
  if (!instance.shape.has('two-nics')) return [nic0];
  const { accessConfigs: _, ...inner } = nic0;
  const network = globalUrl(instance.project, 'networks', 'inner');
  return [{ ...inner, name: 'nic1', network, networkIP: '192.168.77.2' }, nic0];
}

function renderInterface(instance: Instance): JsonObject {
  const region = regionOf(instance.zone);
  const { network } = instance;
  const common = {
    kind: 'compute#networkInterface',
    network: globalUrl(network.project, 'networks', network.name),
    subnetwork: projectUrl(network.project, `regions/${region}/subnetworks/${network.name}`),
    name: 'nic0',
    fingerprint: fingerprint([instance.id, 'nic0']),
  };
  if (instance.shape.has('ipv6-only')) return { ...common, ...renderIpv6(instance) };
  return {
    ...common,
    networkIP: instance.internalIp,
    ...(instance.shape.has('no-external-address') ? {} : { accessConfigs: [accessConfig(instance)] }),
    stackType: 'IPV4_ONLY',
  };
}

/** https://cloud.google.com/compute/docs/ip-addresses/configure-ipv6-address; an address for documentation, RFC 3849. */
function renderIpv6(instance: Instance): JsonObject {
  return {
    stackType: 'IPV6_ONLY',
    ipv6AccessType: 'EXTERNAL',
    ipv6AccessConfigs: [
      {
        kind: 'compute#accessConfig',
        type: 'DIRECT_IPV6',
        name: 'external-ipv6',
        externalIpv6: `2001:db8:4000:0:0:0:0:${instance.ip.split('.').at(-1)}`,
        externalIpv6PrefixLength: 96,
        networkTier: 'PREMIUM',
      },
    ],
  };
}

function accessConfig(instance: Instance): JsonObject {
  return {
    kind: 'compute#accessConfig',
    type: 'ONE_TO_ONE_NAT',
    name: 'external-nat',
    natIP: instance.ip,
    networkTier: 'PREMIUM',
  };
}

function renderDisk(
  instance: Instance,
  attachment: Attachment,
  index: number,
  disk: Disk | undefined,
): JsonObject {
  const windows = attachment.boot && instance.shape.has('windows');
  const { licenses = [], guestOsFeatures = [], architecture } = disk?.system ?? {};
  const features = [...guestOsFeatures, ...(windows ? ['WINDOWS'] : [])];
  return {
    kind: 'compute#attachedDisk',
    type: 'PERSISTENT',
    mode: attachment.mode,
    source: zoneUrl(instance.project, instance.zone, 'disks', attachment.disk),
    deviceName: attachment.deviceName,
    index,
    boot: attachment.boot,
    autoDelete: attachment.autoDelete,
    ...(licenses.length > 0 && {
      licenses: windows ? [globalUrl('windows-cloud', 'licenses', 'windows-server-2022-dc')] : licenses,
    }),
    ...(features.length > 0 && { guestOsFeatures: features.map((type) => ({ type })) }),
    interface: 'SCSI',
    diskSizeGb: String(disk?.sizeGb ?? 10),
    ...(architecture !== undefined && { architecture }),
  };
}

const listOf = (items: readonly unknown[]): JsonObject => (items.length > 0 ? { items } : {});
