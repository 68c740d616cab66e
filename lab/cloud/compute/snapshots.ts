import { setTimeout as delay } from 'node:timers/promises';
import { type Call, demand, param, type Route, readBody } from './call.ts';
import { alreadyExists, invalidField, notFound, notReady, required } from './errors.ts';
import { checkLabels, labelled, renderLabels, setLabels } from './labels.ts';
import type { JsonObject } from './merge-patch.ts';
import type { Operation } from './operations.ts';
import { listBody, page } from './paging.ts';
import { projectOf } from './projects.ts';
import { type Disk, regionOf, type Snapshot } from './storage.ts';
import { globalUrl, nameInMessages, parseResource, projectUrl, zoneUrl } from './urls.ts';
import { checkName } from './values.ts';
import { newId, type Project, timestamp } from './world.ts';

const SNAPSHOTS = 'projects/:project/global/snapshots';

/** snapshots of https://cloud.google.com/compute/docs/reference/rest/v1/snapshots */
export const SNAPSHOT_ROUTES: readonly Route[] = [
  { method: 'GET', path: SNAPSHOTS, request: 'ListSnapshotsRequest', run: list },
  { method: 'POST', path: SNAPSHOTS, request: 'InsertSnapshotRequest', run: insert },
  { method: 'GET', path: `${SNAPSHOTS}/:snapshot`, request: 'GetSnapshotRequest', run: get },
  { method: 'DELETE', path: `${SNAPSHOTS}/:snapshot`, request: 'DeleteSnapshotRequest', run: remove },
  {
    method: 'POST',
    path: `${SNAPSHOTS}/:resource/setLabels`,
    request: 'SetLabelsSnapshotRequest',
    run: label,
  },
];

function list(call: Call): object {
  const id = param(call, 'project');
  demand(call, { permission: 'compute.snapshots.list', resource: `projects/${id}` });
  const resources = [...projectOf(call, id).snapshots.values()].map(render);
  return listBody(
    'compute#snapshotList',
    `projects/${id}/global/snapshots`,
    projectUrl(id, 'global/snapshots'),
    page(resources, call.query),
  );
}

function get(call: Call): object {
  const { link } = address(call);
  demand(call, { permission: 'compute.snapshots.get', resource: nameInMessages(link) });
  return render(existing(call));
}

/** The way that gcloud takes today; createSnapshot of a disk is the other. */
function insert(call: Call): Operation {
  const project = projectOf(call, param(call, 'project'));
  const body = readBody(call, 'Snapshot');
  if (typeof body.sourceDisk !== 'string') throw required('resource.sourceDisk');
  const { name } = parseResource('resource.sourceDisk', body.sourceDisk, 'disks');
  const disk = project.disks.get(name);
  if (disk === undefined) throw notFound(body.sourceDisk);
  demand(call, {
    permission: 'compute.disks.createSnapshot',
    resource: `projects/${project.id}/zones/${disk.zone}/disks/${name}`,
  });
  return takeSnapshot(call, disk, body, null);
}

/**
 * Begins a snapshot. It shows the disk at the moment when it leaves CREATING; until it is READY it is being uploaded,
 * and the disk may be written to: https://cloud.google.com/compute/docs/disks/snapshot-best-practices
 */
export function takeSnapshot(call: Call, disk: Disk, body: JsonObject, zone: string | null): Operation {
  const project = projectOf(call, disk.project);
  const name = typeof body.name === 'string' ? body.name : '';
  const link = globalUrl(project.id, 'snapshots', name);
  const labels = checkLabels('resource.labels', body.labels);
  demand(
    call,
    { permission: 'compute.snapshots.create', resource: nameInMessages(link) },
    ...(Object.keys(labels).length > 0
      ? [{ permission: 'compute.snapshots.setLabels', resource: nameInMessages(link) }]
      : []),
  );
  if (name === '') throw required('resource.name');
  checkName('resource.name', name);
  if (project.snapshots.has(name)) throw alreadyExists(nameInMessages(link));
  if (disk.status !== 'READY')
    throw notReady(`projects/${disk.project}/zones/${disk.zone}/disks/${disk.name}`);
  const snapshot: Snapshot = {
    id: newId(),
    creationTimestamp: timestamp(),
    project: project.id,
    name,
    description: typeof body.description === 'string' ? body.description : '',
    sizeGb: disk.sizeGb,
    sourceDisk: { url: zoneUrl(disk.project, disk.zone, 'disks', disk.name), id: disk.id },
    system: disk.system,
    storageLocation: locationOf(body, disk),
    status: 'CREATING',
    storageBytes: 0,
    labels,
  };
  project.snapshots.set(name, snapshot);
  return call.operations.start({
    project: project.id,
    zone,
    type: zone === null ? 'insert' : 'createSnapshot',
    // As Google's: the disk, where it is its method.
    target:
      zone === null
        ? { link, id: snapshot.id }
        : { link: snapshot.sourceDisk.url, id: snapshot.sourceDisk.id },
    user: call.principal.email,
    requestId: call.requestId,
    work: () => copy(call, project, snapshot, disk),
  });
}

async function copy(call: Call, project: Project, snapshot: Snapshot, disk: Disk): Promise<void> {
  try {
    snapshot.storageBytes = await call.blocks.createSnapshot(disk.id, snapshot.id);
    snapshot.status = 'UPLOADING';
    await delay(call.operations.latencyMs);
    snapshot.status = 'READY';
  } catch (error) {
    project.snapshots.delete(snapshot.name);
    throw error;
  }
}

/** The multi-region of the disk where none is given: https://cloud.google.com/compute/docs/disks/snapshots#storage_location */
function locationOf(body: JsonObject, disk: Disk): string {
  const given = (body.storageLocations ?? []) as readonly string[];
  if (given.length > 1)
    throw invalidField('resource.storageLocations', given.join(), 'At most one location.');
  const [continent = ''] = regionOf(disk.zone).split('-');
  return given[0] ?? ({ europe: 'eu', us: 'us', asia: 'asia' }[continent] || regionOf(disk.zone));
}

function remove(call: Call): Operation {
  const { project, name, link } = address(call);
  demand(call, { permission: 'compute.snapshots.delete', resource: nameInMessages(link) });
  const snapshot = existing(call);
  return call.operations.start({
    project,
    zone: null,
    type: 'delete',
    target: { link, id: snapshot.id },
    user: call.principal.email,
    requestId: call.requestId,
    work: async () => {
      projectOf(call, project).snapshots.delete(name);
      await call.blocks.deleteSnapshot(snapshot.id);
    },
  });
}

function label(call: Call): Operation {
  const project = param(call, 'project');
  const link = globalUrl(project, 'snapshots', labelled(call));
  demand(call, { permission: 'compute.snapshots.setLabels', resource: nameInMessages(link) });
  const snapshot = projectOf(call, project).snapshots.get(labelled(call));
  if (snapshot === undefined) throw notFound(nameInMessages(link));
  return setLabels(call, 'GlobalSetLabelsRequest', snapshot, { project, zone: null, link });
}

/** The snapshot at an address in a message. Throws the API's 404. */
export function snapshotAt(field: string, url: string, project: Project): Snapshot {
  const { name } = parseResource(field, url, 'snapshots');
  const snapshot = project.snapshots.get(name);
  if (snapshot === undefined) throw notFound(`projects/${project.id}/global/snapshots/${name}`);
  return snapshot;
}

function address(call: Call): { project: string; name: string; link: string } {
  const [project, name] = [param(call, 'project'), param(call, 'snapshot')];
  return { project, name, link: globalUrl(project, 'snapshots', name) };
}

function existing(call: Call): Snapshot {
  const { project, name, link } = address(call);
  const snapshot = projectOf(call, project).snapshots.get(name);
  if (snapshot === undefined) throw notFound(nameInMessages(link));
  return snapshot;
}

/** The snapshot as the API shows it. */
function render(snapshot: Snapshot): JsonObject {
  const { system } = snapshot;
  return {
    kind: 'compute#snapshot',
    id: snapshot.id,
    creationTimestamp: snapshot.creationTimestamp,
    name: snapshot.name,
    ...(snapshot.description !== '' && { description: snapshot.description }),
    status: snapshot.status,
    sourceDisk: snapshot.sourceDisk.url,
    sourceDiskId: snapshot.sourceDisk.id,
    diskSizeGb: String(snapshot.sizeGb),
    storageBytes: String(snapshot.storageBytes),
    storageBytesStatus: snapshot.status === 'READY' ? 'UP_TO_DATE' : 'UPDATING',
    storageLocations: [snapshot.storageLocation],
    ...(system !== null && {
      licenses: system.licenses,
      guestOsFeatures: system.guestOsFeatures.map((type) => ({ type })),
      architecture: system.architecture,
    }),
    ...renderLabels(snapshot.labels),
    downloadBytes: String(snapshot.storageBytes),
    creationSizeBytes: String(snapshot.storageBytes),
    snapshotType: 'STANDARD',
    autoCreated: false,
    enableConfidentialCompute: false,
    selfLink: globalUrl(snapshot.project, 'snapshots', snapshot.name),
  };
}
