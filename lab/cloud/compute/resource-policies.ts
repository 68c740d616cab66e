import { type Call, demand, param, type Route, readBody } from './call.ts';
import { alreadyExists, inUse, invalid, invalidField, notFound, required } from './errors.ts';
import { isObject, type JsonObject, mergePatch } from './merge-patch.ts';
import type { Operation } from './operations.ts';
import { listBody, page } from './paging.ts';
import { checkRegion, projectOf } from './projects.ts';
import { checkSchedulePolicy } from './schedule-check.ts';
import { type ResourcePolicy, regionOf } from './storage.ts';
import { nameInMessages, projectUrl, regionUrl } from './urls.ts';
import { checkName } from './values.ts';
import { newId, type Project, timestamp } from './world.ts';

const POLICIES = 'projects/:project/regions/:region/resourcePolicies';

/** resourcePolicies of https://cloud.google.com/compute/docs/reference/rest/v1/resourcePolicies: snapshot schedules. */
export const POLICY_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: 'projects/:project/aggregated/resourcePolicies',
    request: 'AggregatedListResourcePoliciesRequest',
    run: aggregatedList,
  },
  { method: 'GET', path: POLICIES, request: 'ListResourcePoliciesRequest', run: list },
  { method: 'POST', path: POLICIES, request: 'InsertResourcePolicyRequest', run: insert },
  { method: 'GET', path: `${POLICIES}/:resourcePolicy`, request: 'GetResourcePolicyRequest', run: get },
  { method: 'PATCH', path: `${POLICIES}/:resourcePolicy`, request: 'PatchResourcePolicyRequest', run: patch },
  {
    method: 'DELETE',
    path: `${POLICIES}/:resourcePolicy`,
    request: 'DeleteResourcePolicyRequest',
    run: remove,
  },
];

function aggregatedList(call: Call): object {
  const id = param(call, 'project');
  demand(call, { permission: 'compute.resourcePolicies.list', resource: `projects/${id}` });
  const all = [...projectOf(call, id).policies.values()].map(render);
  const { items, nextPageToken } = page(all, call.query);
  const regions = [...new Set(call.world.zones.map(regionOf))];
  const scopes = regions.map((region) => [
    `regions/${region}`,
    { resourcePolicies: items.filter((item) => item.region === projectUrl(id, `regions/${region}`)) },
  ]);
  return {
    kind: 'compute#resourcePolicyAggregatedList',
    id: `projects/${id}/aggregated/resourcePolicies`,
    items: Object.fromEntries(scopes),
    ...(nextPageToken !== undefined && { nextPageToken }),
    selfLink: projectUrl(id, 'aggregated/resourcePolicies'),
  };
}

function list(call: Call): object {
  const [id, region] = [param(call, 'project'), param(call, 'region')];
  demand(call, { permission: 'compute.resourcePolicies.list', resource: `projects/${id}` });
  const project = projectOf(call, id);
  checkRegion(call, id, region);
  return listBody(
    'compute#resourcePolicyList',
    `projects/${id}/regions/${region}/resourcePolicies`,
    projectUrl(id, `regions/${region}/resourcePolicies`),
    page([...project.policies.values()].map(render), call.query),
  );
}

function get(call: Call): object {
  demand(call, { permission: 'compute.resourcePolicies.get', resource: nameInMessages(linkOf(call)) });
  return render(existing(call));
}

function insert(call: Call): Operation {
  const [id, region] = [param(call, 'project'), param(call, 'region')];
  const body = readBody(call, 'ResourcePolicy');
  const name = typeof body.name === 'string' ? body.name : '';
  const link = regionUrl(id, region, 'resourcePolicies', name);
  demand(call, { permission: 'compute.resourcePolicies.create', resource: nameInMessages(link) });
  const project = projectOf(call, id);
  checkRegion(call, id, region);
  if (name === '') throw required('resource.name');
  checkName('resource.name', name);
  if (!isObject(body.snapshotSchedulePolicy)) throw invalid('The lab has snapshot schedules alone.');
  if (project.policies.has(name)) throw alreadyExists(nameInMessages(link));
  const policy: ResourcePolicy = {
    id: newId(),
    creationTimestamp: timestamp(),
    project: id,
    region,
    name,
    description: typeof body.description === 'string' ? body.description : '',
    schedule: checkSchedulePolicy(body.snapshotSchedulePolicy),
  };
  return change(call, policy, 'insert', () => {
    if (project.policies.has(name)) throw alreadyExists(nameInMessages(link));
    project.policies.set(name, policy);
  });
}

/**
 * Changes schedule, retention, labels and description in place, attached or not; what a snapshot is made with besides
 * its labels cannot be: terraform-provider-google issue 20499.
 */
function patch(call: Call): Operation {
  demand(call, { permission: 'compute.resourcePolicies.update', resource: nameInMessages(linkOf(call)) });
  const body = readBody(call, 'ResourcePolicy');
  const present = existing(call);
  const project = projectOf(call, present.project);
  if (body.name !== undefined && body.name !== present.name)
    throw invalidField('resource.name', String(body.name), 'Name cannot be changed.');
  const make = (current: ResourcePolicy): ResourcePolicy => ({
    ...current,
    description: typeof body.description === 'string' ? body.description : current.description,
    schedule: patched(current.schedule, body.snapshotSchedulePolicy),
  });
  make(present);
  return change(call, present, 'patch', () => {
    project.policies.set(present.name, make(project.policies.get(present.name) ?? present));
  });
}

function patched(present: JsonObject, given: unknown): JsonObject {
  if (!isObject(given)) return present;
  const properties = isObject(given.snapshotProperties) ? given.snapshotProperties : {};
  if (properties.guestFlush !== undefined) throw invalid('Patching guest_flush field is not supported.');
  if (properties.storageLocations !== undefined)
    throw invalid('Patching storage_locations field is not supported.');
  const { schedule: _, ...rest } = present;
  // Of hourly, daily and weekly there is one alone: another kind takes the place of the one before.
  const base = isObject(given.schedule) ? rest : present;
  return checkSchedulePolicy(mergePatch(base, given));
}

function remove(call: Call): Operation {
  const link = linkOf(call);
  demand(call, { permission: 'compute.resourcePolicies.delete', resource: nameInMessages(link) });
  const policy = existing(call);
  const project = projectOf(call, policy.project);
  requireUnused(project, link);
  return change(call, policy, 'delete', () => {
    requireUnused(project, link);
    project.policies.delete(policy.name);
  });
}

/** The words are those of terraform-provider-google issue 9435. */
function requireUnused(project: Project, link: string): void {
  const disk = [...project.disks.values()].find(({ policies }) => policies.includes(link));
  if (disk === undefined) return;
  const user = `projects/${disk.project}/zones/${disk.zone}/disks/${disk.name}`;
  throw inUse('resource_policy', nameInMessages(link), user);
}

/** The policy of that name. Throws the API's 404. */
export function policyAt(call: Call, project: string, region: string, name: string): ResourcePolicy {
  const policy = projectOf(call, project).policies.get(name);
  if (policy?.region !== region)
    throw notFound(`projects/${project}/regions/${region}/resourcePolicies/${name}`);
  return policy;
}

function change(call: Call, policy: ResourcePolicy, type: string, work: () => void): Operation {
  return call.operations.start({
    project: policy.project,
    zone: null,
    region: policy.region,
    type,
    target: {
      link: regionUrl(policy.project, policy.region, 'resourcePolicies', policy.name),
      id: policy.id,
    },
    user: call.principal.email,
    requestId: call.requestId,
    work,
  });
}

const linkOf = (call: Call): string =>
  regionUrl(param(call, 'project'), param(call, 'region'), 'resourcePolicies', param(call, 'resourcePolicy'));

function existing(call: Call): ResourcePolicy {
  checkRegion(call, param(call, 'project'), param(call, 'region'));
  return policyAt(call, param(call, 'project'), param(call, 'region'), param(call, 'resourcePolicy'));
}

/** The policy as the API shows it. */
function render(policy: ResourcePolicy): JsonObject {
  return {
    kind: 'compute#resourcePolicy',
    id: policy.id,
    creationTimestamp: policy.creationTimestamp,
    name: policy.name,
    ...(policy.description !== '' && { description: policy.description }),
    region: projectUrl(policy.project, `regions/${policy.region}`),
    snapshotSchedulePolicy: policy.schedule,
    status: 'READY',
    selfLink: regionUrl(policy.project, policy.region, 'resourcePolicies', policy.name),
  };
}
