import { type Call, demand, param, type Route } from './call.ts';
import { notFound } from './errors.ts';
import type { Operation } from './operations.ts';
import { listBody, page } from './paging.ts';
import { checkRegion, checkZone, projectOf } from './projects.ts';
import { projectUrl } from './urls.ts';

const GLOBAL = 'projects/:project/global/operations';
const ZONE = 'projects/:project/zones/:zone/operations';
const REGION = 'projects/:project/regions/:region/operations';

/** globalOperations, zoneOperations and regionOperations. */
export const OPERATION_ROUTES: readonly Route[] = [
  { method: 'GET', path: GLOBAL, request: 'ListGlobalOperationsRequest', run: list },
  { method: 'GET', path: `${GLOBAL}/:operation`, request: 'GetGlobalOperationRequest', run: get },
  { method: 'POST', path: `${GLOBAL}/:operation/wait`, request: 'WaitGlobalOperationRequest', run: wait },
  { method: 'GET', path: ZONE, request: 'ListZoneOperationsRequest', run: list },
  { method: 'GET', path: `${ZONE}/:operation`, request: 'GetZoneOperationRequest', run: get },
  { method: 'POST', path: `${ZONE}/:operation/wait`, request: 'WaitZoneOperationRequest', run: wait },
  { method: 'GET', path: REGION, request: 'ListRegionOperationsRequest', run: list },
  { method: 'GET', path: `${REGION}/:operation`, request: 'GetRegionOperationRequest', run: get },
  { method: 'POST', path: `${REGION}/:operation/wait`, request: 'WaitRegionOperationRequest', run: wait },
];

function list(call: Call): object {
  const { project, scope, service } = scopeOf(call);
  demand(call, { permission: `compute.${service}.list`, resource: `projects/${project}` });
  const operations = call.operations.list(project, scope).map((operation) => ({ ...operation }));
  const collection = `projects/${project}/${scope}/operations`;
  return listBody(
    'compute#operationList',
    collection,
    projectUrl(project, `${scope}/operations`),
    page(operations, call.query),
  );
}

function get(call: Call): Operation {
  const { project, scope, name, resource } = permitted(call);
  return call.operations.get(project, scope, name) ?? missing(resource);
}

async function wait(call: Call): Promise<Operation> {
  const { project, scope, name, resource } = permitted(call);
  return (await call.operations.wait(project, scope, name)) ?? missing(resource);
}

function permitted(call: Call): { project: string; scope: string; name: string; resource: string } {
  const { project, scope, service } = scopeOf(call);
  const name = param(call, 'operation');
  const resource = `projects/${project}/${scope}/operations/${name}`;
  demand(call, { permission: `compute.${service}.get`, resource });
  projectOf(call, project);
  return { project, scope, name, resource };
}

function scopeOf(call: Call): { project: string; scope: string; service: string } {
  const project = param(call, 'project');
  const { zone, region } = call.params;
  if (zone !== undefined) {
    checkZone(call, project, zone);
    return { project, scope: `zones/${zone}`, service: 'zoneOperations' };
  }
  if (region !== undefined) {
    checkRegion(call, project, region);
    return { project, scope: `regions/${region}`, service: 'regionOperations' };
  }
  return { project, scope: 'global', service: 'globalOperations' };
}

function missing(resource: string): never {
  throw notFound(resource);
}
