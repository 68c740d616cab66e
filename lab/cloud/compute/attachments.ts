import { type Call, demand, param, type Route, readBody } from './call.ts';
import { inUse, invalid, invalidField, notFound, notReady, required } from './errors.ts';
import { existing, linkOf } from './instances.ts';
import type { Operation } from './operations.ts';
import { projectOf } from './projects.ts';
import type { Attachment, Disk } from './storage.ts';
import { nameInMessages, parseResource } from './urls.ts';
import type { Instance } from './world.ts';

const INSTANCE = 'projects/:project/zones/:zone/instances/:instance';

/** The methods of instances that are about disks. */
export const ATTACHMENT_ROUTES: readonly Route[] = [
  { method: 'POST', path: `${INSTANCE}/attachDisk`, request: 'AttachDiskInstanceRequest', run: attach },
  { method: 'POST', path: `${INSTANCE}/detachDisk`, request: 'DetachDiskInstanceRequest', run: detach },
];

/** An instance of the lab is of a shared-core type: https://cloud.google.com/compute/docs/machine-resource */
const MOST_DISKS = 16;
/** The field's documentation; udev makes a link of it in the guest. */
const DEVICE_NAME = /^\w[\w.-]{0,62}$/;

function attach(call: Call): Operation {
  const instance = existing(call);
  demand(call, { permission: 'compute.instances.attachDisk', resource: nameInMessages(linkOf(call)) });
  const body = readBody(call, 'AttachedDisk');
  if (typeof body.source !== 'string') throw required('resource.source');
  const { name } = parseResource('resource.source', body.source, 'disks');
  const path = `projects/${instance.project}/zones/${instance.zone}/disks/${name}`;
  const disk = projectOf(call, instance.project).disks.get(name);
  if (disk === undefined) throw notFound(path);
  const mode = body.mode === 'READ_ONLY' ? 'READ_ONLY' : 'READ_WRITE';
  demand(call, { permission: `compute.disks.use${mode === 'READ_ONLY' ? 'ReadOnly' : ''}`, resource: path });
  const attachment: Attachment = {
    disk: name,
    deviceName: checkDeviceName(body.deviceName, instance),
    boot: body.boot === true,
    autoDelete: body.autoDelete === true,
    mode,
  };
  requireAttachable(instance, disk, attachment);
  return change(call, instance, 'attachDisk', async () => {
    requireAttachable(instance, disk, attachment);
    disk.user = instance.name;
    instance.disks = [...instance.disks, attachment];
    await call.blocks.attach(instance.container, disk.id, attachment.deviceName);
  });
}

/** `persistent-disk-N` where none is given, with N the index. */
function checkDeviceName(value: unknown, instance: Instance): string {
  if (value === undefined || value === '') return `persistent-disk-${instance.disks.length}`;
  if (!DEVICE_NAME.test(String(value)))
    throw invalidField(
      'resource.deviceName',
      String(value),
      `Must be a match of regex '${DEVICE_NAME.source}'`,
    );
  return String(value);
}

/** A disk that is restored from a snapshot is not ready for a while: gcp-compute-persistent-disk-csi-driver 482. */
function requireAttachable(instance: Instance, disk: Disk, { deviceName, boot }: Attachment): void {
  const path = `projects/${disk.project}/zones/${disk.zone}/disks/${disk.name}`;
  if (disk.user !== null)
    throw inUse('disk', path, `projects/${disk.project}/zones/${disk.zone}/instances/${disk.user}`);
  if (disk.status !== 'READY') throw notReady(path);
  if (boot) throw invalid('Only a stopped instance can be given another boot disk.');
  if (instance.disks.length >= MOST_DISKS)
    throw invalid(
      `Exceeded limit 'maximum_persistent_disks' on resource '${instance.name}'. Limit: ${MOST_DISKS}.0`,
    );
  if (instance.disks.some((each) => each.deviceName === deviceName))
    throw invalidField('resource.deviceName', deviceName, `Device name '${deviceName}' is already in use.`);
}

function detach(call: Call): Operation {
  const instance = existing(call);
  const link = linkOf(call);
  demand(call, { permission: 'compute.instances.detachDisk', resource: nameInMessages(link) });
  const deviceName = call.query.get('deviceName') ?? '';
  if (deviceName === '') throw required('deviceName');
  const attachment = instance.disks.find((each) => each.deviceName === deviceName);
  // The words are those of kubernetes issue 44554.
  if (attachment === undefined) throw invalid(`No attached disk found with device name '${deviceName}'`);
  if (attachment.boot) throw invalid('Cannot detach the boot disk of a running instance.');
  const disk = projectOf(call, instance.project).disks.get(attachment.disk);
  return change(call, instance, 'detachDisk', async () => {
    instance.disks = instance.disks.filter((each) => each !== attachment);
    if (disk === undefined) return;
    await call.blocks.detach(instance.container, disk.id, deviceName);
    disk.user = null;
  });
}

function change(call: Call, instance: Instance, type: string, work: () => Promise<void>): Operation {
  return call.operations.start({
    project: param(call, 'project'),
    zone: instance.zone,
    type,
    target: { link: linkOf(call), id: instance.id },
    user: call.principal.email,
    requestId: call.requestId,
    work,
  });
}

/** What becomes of the disks of an instance that is deleted: those with autoDelete go along, the others stay. */
export async function releaseDisks(
  { world, blocks }: Pick<Call, 'world' | 'blocks'>,
  instance: Instance,
): Promise<void> {
  const { disks } = world.projectOf(instance);
  for (const { disk: name, deviceName, autoDelete } of instance.disks) {
    const disk = disks.get(name);
    if (disk === undefined) continue;
    await blocks.detach(instance.container, disk.id, deviceName);
    disk.user = null;
    if (!autoDelete) continue;
    disks.delete(name);
    await blocks.deleteDisk(disk.id);
  }
}
