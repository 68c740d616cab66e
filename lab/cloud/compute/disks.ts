import { type Call, demand, param, type Route, readBody } from './call.ts';
import { alreadyExists, inUse, invalidField, notFound, notReady, required } from './errors.ts';
import { checkLabels, renderLabels, setLabels } from './labels.ts';
import type { JsonObject } from './merge-patch.ts';
import type { Operation } from './operations.ts';
import { listBody, page } from './paging.ts';
import { checkZone, projectOf } from './projects.ts';
import { policyAt } from './resource-policies.ts';
import { snapshotAt, takeSnapshot } from './snapshots.ts';
import { type Disk, regionOf, type Snapshot } from './storage.ts';
import { nameInMessages, parseResource, projectUrl, regionUrl, zoneUrl } from './urls.ts';
import { checkName } from './values.ts';
import { newId, type Project, timestamp } from './world.ts';

const DISKS = 'projects/:project/zones/:zone/disks';

/** disks of https://cloud.google.com/compute/docs/reference/rest/v1/disks */
export const DISK_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: 'projects/:project/aggregated/disks',
    request: 'AggregatedListDisksRequest',
    run: aggregatedList,
  },
  { method: 'GET', path: DISKS, request: 'ListDisksRequest', run: list },
  { method: 'POST', path: DISKS, request: 'InsertDiskRequest', run: insert },
  { method: 'GET', path: `${DISKS}/:disk`, request: 'GetDiskRequest', run: get },
  { method: 'DELETE', path: `${DISKS}/:disk`, request: 'DeleteDiskRequest', run: remove },
  {
    method: 'POST',
    path: `${DISKS}/:disk/createSnapshot`,
    request: 'CreateSnapshotDiskRequest',
    run: snapshot,
  },
  { method: 'POST', path: `${DISKS}/:resource/setLabels`, request: 'SetLabelsDiskRequest', run: label },
  {
    method: 'POST',
    path: `${DISKS}/:disk/addResourcePolicies`,
    request: 'AddResourcePoliciesDiskRequest',
    run: addPolicies,
  },
  {
    method: 'POST',
    path: `${DISKS}/:disk/removeResourcePolicies`,
    request: 'RemoveResourcePoliciesDiskRequest',
    run: removePolicies,
  },
];

/** The limits of a Persistent Disk: https://cloud.google.com/compute/docs/disks/persistent-disks */
const MOST_GB = 65_536;

/** https://cloud.google.com/compute/docs/disks#pdspecs; the lab has no Hyperdisks. */
const TYPES = ['pd-standard', 'pd-balanced', 'pd-ssd', 'pd-extreme'];

function aggregatedList(call: Call): object {
  const project = param(call, 'project');
  demand(call, { permission: 'compute.disks.list', resource: `projects/${project}` });
  const disks = [...projectOf(call, project).disks.values()].map(renderDisk);
  const { items, nextPageToken } = page(disks, call.query);
  const scopes = call.world.zones.map((zone) => {
    const url = projectUrl(project, `zones/${zone}`);
    return [`zones/${zone}`, { disks: items.filter((item) => item.zone === url) }];
  });
  return {
    kind: 'compute#diskAggregatedList',
    id: `projects/${project}/aggregated/disks`,
    items: Object.fromEntries(scopes),
    ...(nextPageToken !== undefined && { nextPageToken }),
    selfLink: projectUrl(project, 'aggregated/disks'),
  };
}

function list(call: Call): object {
  const [id, zone] = [param(call, 'project'), param(call, 'zone')];
  demand(call, { permission: 'compute.disks.list', resource: `projects/${id}` });
  const project = projectOf(call, id);
  checkZone(call, id, zone);
  const resources = [...project.disks.values()].map(renderDisk);
  return listBody(
    'compute#diskList',
    `projects/${id}/zones/${zone}/disks`,
    projectUrl(id, `zones/${zone}/disks`),
    page(resources, call.query),
  );
}

function get(call: Call): object {
  demand(call, { permission: 'compute.disks.get', resource: nameInMessages(linkOf(call)) });
  return renderDisk(existing(call));
}

function insert(call: Call): Operation {
  const [id, zone] = [param(call, 'project'), param(call, 'zone')];
  const body = readBody(call, 'Disk');
  const name = typeof body.name === 'string' ? body.name : '';
  const link = zoneUrl(id, zone, 'disks', name);
  demand(call, { permission: 'compute.disks.create', resource: nameInMessages(link) });
  const labels = checkLabels('resource.labels', body.labels);
  if (Object.keys(labels).length > 0)
    demand(call, { permission: 'compute.disks.setLabels', resource: nameInMessages(link) });
  const project = projectOf(call, id);
  checkZone(call, id, zone);
  if (name === '') throw required('resource.name');
  checkName('resource.name', name);
  const source = sourceOf(call, body, project);
  if (project.disks.has(name)) throw alreadyExists(nameInMessages(link));
  const disk: Disk = {
    id: newId(),
    creationTimestamp: timestamp(),
    project: id,
    zone,
    name,
    description: typeof body.description === 'string' ? body.description : '',
    sizeGb: checkSize(body.sizeGb, source),
    type: checkType(body.type),
    status: source === null ? 'CREATING' : 'RESTORING',
    labels,
    sourceSnapshot: source && { url: snapshotUrl(source), id: source.id },
    system: source?.system ?? null,
    policies: [],
    user: null,
  };
  project.disks.set(name, disk);
  return change(call, disk, 'insert', async () => {
    try {
      await call.blocks.createDisk(disk.id, disk.sizeGb * 2 ** 30, source?.id ?? null);
      disk.status = 'READY';
    } catch (error) {
      project.disks.delete(name);
      throw error;
    }
  });
}

const snapshotUrl = ({ project, name }: Snapshot): string => projectUrl(project, `global/snapshots/${name}`);

/** Null for an empty disk. What is not READY cannot be a source: google/cloud-forensics-utils pull request 433. */
function sourceOf(call: Call, body: JsonObject, project: Project): Snapshot | null {
  for (const field of ['sourceImage', 'sourceDisk', 'sourceInstantSnapshot'])
    if (body[field] !== undefined)
      throw invalidField(`resource.${field}`, String(body[field]), 'The lab has none.');
  if (typeof body.sourceSnapshot !== 'string' || body.sourceSnapshot === '') return null;
  const snapshot = snapshotAt('resource.sourceSnapshot', body.sourceSnapshot, project);
  const resource = `projects/${project.id}/global/snapshots/${snapshot.name}`;
  demand(call, { permission: 'compute.snapshots.useReadOnly', resource });
  if (snapshot.status !== 'READY') throw notReady(resource);
  return snapshot;
}

/** A disk may be larger than its snapshot, and not smaller. Without a size an empty one has 500 GB. */
function checkSize(value: unknown, source: Snapshot | null): number {
  const size = Number(value ?? source?.sizeGb ?? 500);
  if (!(size >= 1 && size <= MOST_GB))
    throw invalidField('resource.sizeGb', String(value), `Must be between 1 and ${MOST_GB}.`);
  if (source !== null && size < source.sizeGb)
    throw invalidField(
      'resource.sizeGb',
      String(size),
      `Requested disk size cannot be smaller than the snapshot size (${source.sizeGb} GB)`,
    );
  return size;
}

/** pd-standard where none is given: https://cloud.google.com/compute/docs/reference/rest/v1/disks */
function checkType(value: unknown): string {
  if (value === undefined || value === '') return 'pd-standard';
  const { name } = parseResource('resource.type', String(value), 'diskTypes');
  if (!TYPES.includes(name)) throw notFound(String(value));
  return name;
}

function remove(call: Call): Operation {
  demand(call, { permission: 'compute.disks.delete', resource: nameInMessages(linkOf(call)) });
  const disk = existing(call);
  const free = (): void => {
    if (disk.user !== null) throw inUse('disk', nameInMessages(linkOf(call)), userOf(disk));
  };
  free();
  return change(call, disk, 'delete', async () => {
    free();
    projectOf(call, disk.project).disks.delete(disk.name);
    await call.blocks.deleteDisk(disk.id);
  });
}

/** Permissions: https://cloud.google.com/compute/docs/access/iam#compute.storageAdmin */
function snapshot(call: Call): Operation {
  const disk = existing(call);
  demand(call, { permission: 'compute.disks.createSnapshot', resource: nameInMessages(linkOf(call)) });
  return takeSnapshot(call, disk, readBody(call, 'Snapshot'), disk.zone);
}

function label(call: Call): Operation {
  const disk = existing(call);
  const link = linkOf(call);
  demand(call, { permission: 'compute.disks.setLabels', resource: nameInMessages(link) });
  return setLabels(call, 'ZoneSetLabelsRequest', disk, { project: disk.project, zone: disk.zone, link });
}

function addPolicies(call: Call): Operation {
  const disk = existing(call);
  demand(call, { permission: 'compute.disks.addResourcePolicies', resource: nameInMessages(linkOf(call)) });
  const given = policiesOf(call, disk, 'DisksAddResourcePoliciesRequest');
  for (const name of given) {
    const resource = `projects/${disk.project}/regions/${regionOf(disk.zone)}/resourcePolicies/${name}`;
    demand(call, { permission: 'compute.resourcePolicies.use', resource });
    policyAt(call, disk.project, regionOf(disk.zone), name);
  }
  return change(call, disk, 'addResourcePolicies', () => {
    for (const name of given) policyAt(call, disk.project, regionOf(disk.zone), name);
    const urls = given.map((name) => regionUrl(disk.project, regionOf(disk.zone), 'resourcePolicies', name));
    disk.policies = [...new Set([...disk.policies, ...urls])];
  });
}

function removePolicies(call: Call): Operation {
  const disk = existing(call);
  demand(call, {
    permission: 'compute.disks.removeResourcePolicies',
    resource: nameInMessages(linkOf(call)),
  });
  const given = policiesOf(call, disk, 'DisksRemoveResourcePoliciesRequest');
  const urls = given.map((name) => regionUrl(disk.project, regionOf(disk.zone), 'resourcePolicies', name));
  return change(call, disk, 'removeResourcePolicies', () => {
    disk.policies = disk.policies.filter((url) => !urls.includes(url));
  });
}

/** A policy and its disk are in one region: https://cloud.google.com/compute/docs/disks/scheduled-snapshots */
function policiesOf(call: Call, disk: Disk, type: string): string[] {
  const body = readBody(call, type);
  const list = (body.resourcePolicies ?? []) as readonly string[];
  if (list.length === 0) throw required('resourcePolicies');
  return list.map((url, index) => {
    const field = `resourcePolicies[${index}]`;
    const { scope, name } = parseResource(field, url, 'resourcePolicies');
    if (scope !== null && scope !== `regions/${regionOf(disk.zone)}`)
      throw invalidField(field, url, 'The resource policy must be in the same region as the disk.');
    return name;
  });
}

/** Starts the operation on a disk. */
function change(call: Call, disk: Disk, type: string, work: () => Promise<void> | void): Operation {
  return call.operations.start({
    project: disk.project,
    zone: disk.zone,
    type,
    target: { link: zoneUrl(disk.project, disk.zone, 'disks', disk.name), id: disk.id },
    user: call.principal.email,
    requestId: call.requestId,
    work,
  });
}

const linkOf = (call: Call): string =>
  zoneUrl(
    param(call, 'project'),
    param(call, 'zone'),
    'disks',
    param(call, 'disk' in call.params ? 'disk' : 'resource'),
  );

function existing(call: Call): Disk {
  const project = projectOf(call, param(call, 'project'));
  checkZone(call, project.id, param(call, 'zone'));
  const disk = project.disks.get(param(call, 'disk' in call.params ? 'disk' : 'resource'));
  if (disk === undefined) throw notFound(nameInMessages(linkOf(call)));
  return disk;
}

const userOf = ({ project, zone, user }: Disk): string =>
  `projects/${project}/zones/${zone}/instances/${user}`;

/** The disk as the API shows it. */
function renderDisk(disk: Disk): JsonObject {
  const { project, zone, name, system, sourceSnapshot } = disk;
  return {
    kind: 'compute#disk',
    id: disk.id,
    creationTimestamp: disk.creationTimestamp,
    name,
    ...(disk.description !== '' && { description: disk.description }),
    sizeGb: String(disk.sizeGb),
    zone: projectUrl(project, `zones/${zone}`),
    status: disk.status,
    ...(sourceSnapshot !== null && {
      sourceSnapshot: sourceSnapshot.url,
      sourceSnapshotId: sourceSnapshot.id,
    }),
    selfLink: zoneUrl(project, zone, 'disks', name),
    type: zoneUrl(project, zone, 'diskTypes', disk.type),
    ...(system !== null && {
      licenses: system.licenses,
      guestOsFeatures: system.guestOsFeatures.map((type) => ({ type })),
      architecture: system.architecture,
    }),
    ...(disk.user !== null && { users: [zoneUrl(project, zone, 'instances', disk.user)] }),
    ...renderLabels(disk.labels),
    ...(disk.policies.length > 0 && { resourcePolicies: disk.policies }),
    physicalBlockSizeBytes: '4096',
    enableConfidentialCompute: false,
    satisfiesPzi: true,
  };
}
